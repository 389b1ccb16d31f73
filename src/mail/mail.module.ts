import { Module } from '@nestjs/common';
import { MailServer } from './mail-server';
import { Outbox } from './outbox.service';

@Module({ providers: [Outbox, MailServer], exports: [Outbox, MailServer] })
export class MailModule {}
