import { Controller, Get, Header, UseGuards } from '@nestjs/common';
import { ApiExcludeController } from '@nestjs/swagger';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Public } from '../http/public.decorator';
import { type KeptMail, mailboxPage } from './mailbox-page';
import { MailboxGuard } from './mailbox.guard';

/** Most mails that are shown. */
const SHOWN = 100;

/** Where mails are read that are kept, as there is no mail server. A route only then. */
@Public()
@ApiExcludeController()
@UseGuards(MailboxGuard)
@Controller('mailbox')
export class MailboxController {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  @Get()
  @Header('Content-Type', 'text/html; charset=utf-8')
  @Header('Cache-Control', 'no-store')
  @Header(
    'Content-Security-Policy',
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'",
  )
  async show(): Promise<string> {
    return mailboxPage(
      await this.dataSource.query<KeptMail[]>(
        `SELECT created_at AS "createdAt", content FROM mail
          WHERE content IS NOT NULL ORDER BY id DESC LIMIT $1`,
        [SHOWN],
      ),
    );
  }
}
