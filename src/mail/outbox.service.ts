import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { Settings } from '../config/settings';
import { ApiError } from '../errors/api-error';
import type { Mail, MailKind } from './mail.entity';

const HOUR_SECONDS = 60 * 60;
/** So long, somebody may wait for a mail; a token in it lives as long, from when it is sent. */
const LIFE_SECONDS: Readonly<Record<MailKind, number>> = {
  reset: HOUR_SECONDS,
  verify: 24 * HOUR_SECONDS,
  change: 24 * HOUR_SECONDS,
  changing: 7 * 24 * HOUR_SECONDS,
};

/** Of an account's, that are shown. */
const MOST_UNSENT = 20;

/** A mail that was not sent: one that waits has a time for its next attempt. */
export type UnsentMail = Pick<
  Mail,
  'kind' | 'recipient' | 'createdAt' | 'attempts' | 'failure' | 'nextAttemptAt'
>;

/** 503: a mail was asked for, and there is no mail server. */
export class NoMail extends ApiError {
  override readonly name = 'NoMail';

  constructor() {
    super(503, 'noMail');
  }
}

/** Mails that are to be sent: rows, written in the transaction of what is the reason. */
@Injectable()
export class Outbox {
  private wake: () => void = () => undefined;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly settings: Settings,
  ) {}

  /** Whether mails that are added go anywhere; else they are not even written down. */
  get isOpen(): boolean {
    return this.settings.mail !== 'none';
  }

  /** @throws NoMail unless mails go anywhere */
  assertOpen(): void {
    if (!this.isOpen) throw new NoMail();
  }

  /** Writes a mail down. Call `flush` once that is committed. */
  async add(
    manager: EntityManager,
    { kind, userId, recipient, language }: Pick<Mail, 'kind' | 'userId' | 'recipient' | 'language'>,
  ): Promise<void> {
    if (!this.isOpen) return;
    await manager.query(
      `INSERT INTO mail (kind, user_id, recipient, language, expires_at)
       VALUES ($1, $2, $3, $4, now() + $5 * interval '1 second')`,
      [kind, userId, recipient, language, LIFE_SECONDS[kind]],
    );
  }

  /**
   * Takes mails back that were not sent, in the transaction of what is the reason; dead letters too,
   * which an operator may have sent after all.
   *
   * @param after id of the last one that stays
   */
  async withdraw(
    manager: EntityManager,
    userId: number,
    kind: MailKind,
    after: string | null = null,
  ): Promise<void> {
    await manager.query(
      `DELETE FROM mail
        WHERE user_id = $1 AND kind = $2 AND id > coalesce($3::bigint, 0) AND sent_at IS NULL`,
      [userId, kind, after],
    );
  }

  /** Mails about an account, or to its address, that wait or will never arrive; newest first. */
  async unsentTo(userId: number, recipient: string): Promise<UnsentMail[]> {
    return this.dataSource.query<UnsentMail[]>(
      `SELECT kind, recipient, created_at AS "createdAt", attempts, failure,
              next_attempt_at AS "nextAttemptAt"
         FROM mail
        WHERE (user_id = $1 OR (user_id IS NULL AND recipient = $2)) AND sent_at IS NULL
          AND (next_attempt_at IS NOT NULL OR failure IS NOT NULL)
        ORDER BY id DESC LIMIT $3`,
      [userId, recipient, MOST_UNSENT],
    );
  }

  /** Has what was added sent now rather than soon, if this process sends. */
  flush(): void {
    this.wake();
  }

  /** Who sends is called when there is something to send. */
  onFlush(wake: () => void): void {
    this.wake = wake;
  }
}
