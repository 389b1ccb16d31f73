import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { recordEach } from '../audit/record-event';
import { Settings } from '../config/settings';
import { type ComposedMail, MailComposer, type MailToWrite } from '../mail/mail-composer';
import type { MailKind } from '../mail/mail.entity';
import { writeMail } from './mail-writing';
import type { Purpose } from './recovery-token.entity';
import { addressesMeant, RecoveryTokenService } from './recovery-token.service';

/** What a mail of each kind leads to. The token is no part of what a browser tells a server. */
const LINKS: Readonly<Record<MailKind, { readonly purpose: Purpose; readonly path: string }>> = {
  reset: { purpose: 'reset', path: '/reset-password' },
  verify: { purpose: 'verify', path: '/verify-email' },
  change: { purpose: 'change', path: '/change-email' },
  changing: { purpose: 'revert', path: '/revert-email' },
};

/** The account that a mail is about. */
interface Account {
  readonly id: number;
  readonly username: string;
  readonly email: string;
  readonly verified: boolean;
}

/** Mails with a token for whoever reads the mail of an address. */
@Injectable()
export class RecoveryMails extends MailComposer {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly tokens: RecoveryTokenService,
    private readonly settings: Settings,
  ) {
    super();
  }

  /** @returns undefined when nobody has the account, or need do what the mail is for */
  compose(mail: MailToWrite): Promise<ComposedMail | undefined> {
    const { kind, language } = mail;
    return this.dataSource.transaction(async (manager) => {
      const account = await lockAccount(manager, mail);
      if (account === undefined || !(await isWanted(manager, mail))) return undefined;
      if (kind === 'verify' && account.verified) return undefined;
      // Never what somebody has typed: an address that only looks the same may be another's.
      const isToAccount = kind === 'reset' || kind === 'verify';
      const to = isToAccount ? account.email : mail.recipient;
      const { purpose, path } = LINKS[kind];
      const { token, code } = await this.tokens.issue(manager, purpose, account.id, {
        id: mail.id,
        email: to,
      });
      if (kind === 'reset')
        await recordEach(manager, {}, 'password_reset_sent', [{ account: account.id }]);
      // As long as this can take it back.
      if (kind === 'changing' && account.email !== to) {
        await this.tokens.keep(manager, { userId: account.id, mailId: mail.id }, to);
      }
      const { publicUrl } = this.settings;
      return {
        to,
        ...writeMail(kind, language, {
          service: new URL(publicUrl).host,
          link: `${publicUrl}${path}#${token}`,
          code,
          // A name is whatever somebody has typed: it goes to nobody who has not shown to be them.
          username: account.verified && kind !== 'change' ? account.username : undefined,
        }),
      };
    });
  }
}

/**
 * Finds the account, and has whoever changes it wait until the token is there: what they take back
 * then includes it.
 */
async function lockAccount(
  manager: EntityManager,
  { userId, recipient }: MailToWrite,
): Promise<Account | undefined> {
  const [account] = await manager.query<Account[]>(
    `SELECT id, username, email, email_verified_at IS NOT NULL AS verified FROM "user"
      WHERE disabled_at IS NULL AND (id = $1 OR $1::int IS NULL AND email = ANY ($2))
      ORDER BY email = $3 DESC LIMIT 1 FOR SHARE`,
    [userId, addressesMeant(recipient), recipient],
  );
  return account;
}

/** Whether a mail was not taken back meanwhile. */
async function isWanted(manager: EntityManager, { id }: MailToWrite): Promise<boolean> {
  const rows = await manager.query<unknown[]>('SELECT FROM mail WHERE id = $1', [id]);
  return rows.length > 0;
}
