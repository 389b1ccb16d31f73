import { Injectable, Logger } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { Gauge, Registry } from 'prom-client';
import { ServiceDataSource } from '../database/data-source';
import { withPatience } from '../database/patience';
import { reasonOf } from '../logging/safe-error';

/** What is dear to count is counted at most so often, whoever asks. */
const COUNT_MS = 15_000;

/** What the outbox holds. */
interface Mails {
  readonly waiting: number;
  readonly retrying: number;
  readonly dead: number;
  readonly sent: number;
  /** Age of the oldest that is still to be sent, in seconds. */
  readonly oldest: number;
}

/** What the database says of itself, and of what is in it: the same in every process. */
@Injectable()
export class DatabaseMetrics {
  private readonly logger = new Logger(DatabaseMetrics.name);
  private readonly up: Gauge;
  private readonly clock: Gauge;
  private readonly pending: Gauge;
  private readonly sessions: Gauge;
  private readonly mails: Gauge<'state'>;
  private readonly oldestMail: Gauge;
  /** When what is dear was counted last, as `performance.now()` has it. */
  private countedAt = -Infinity;
  private looking: Promise<void> | undefined;

  constructor(
    registry: Registry,
    @InjectDataSource() private readonly dataSource: ServiceDataSource,
  ) {
    const registers = [registry];
    this.up = new Gauge({
      name: 'user_account_database_up',
      help: 'Whether the database answers, 1 or 0. What it would have to say is left out meanwhile.',
      registers,
    });
    this.clock = new Gauge({
      name: 'user_account_database_clock_offset_seconds',
      help: 'How much the clock of the database is ahead of that of this process.',
      registers,
    });
    this.pending = new Gauge({
      name: 'user_account_database_migrations_pending',
      help: 'Migrations of this version that have not run.',
      registers,
    });
    this.sessions = new Gauge({
      name: 'user_account_sessions',
      help: 'Live logins, in all processes together, counted every 15 seconds at most.',
      registers,
    });
    this.mails = new Gauge({
      name: 'user_account_mails',
      help: 'Mails in the outbox: waiting, retrying (refused for now), dead (never to be sent by itself), or sent (kept for a day).',
      labelNames: ['state'],
      registers,
    });
    this.oldestMail = new Gauge({
      name: 'user_account_mail_oldest_seconds',
      help: 'Age of the oldest mail that is still to be sent; 0 without one.',
      registers,
    });
  }

  /** Asks the database, no longer than a request would: who asks meanwhile shares the answer. Never fails. */
  look(): Promise<void> {
    this.looking ??= withPatience(() => this.ask()).finally(() => {
      this.looking = undefined;
    });
    return this.looking;
  }

  private async ask(): Promise<void> {
    const isUp = await this.askItself().then(
      () => true,
      // Why it does not answer is said by those who need it to.
      () => false,
    );
    this.up.set(isUp ? 1 : 0);
    if (!isUp) {
      for (const gauge of [this.clock, this.pending, this.sessions]) gauge.remove();
      this.forgetMails();
      this.countedAt = -Infinity;
      return;
    }
    await this.countPending().catch((error: unknown) => {
      this.pending.remove();
      this.tellOf('pending migrations', error);
    });
    if (performance.now() - this.countedAt >= COUNT_MS) {
      this.countedAt = performance.now();
      await this.countMails().catch((error: unknown) => {
        this.forgetMails();
        this.tellOf('mails', error);
      });
      await this.countSessions().catch((error: unknown) => {
        this.sessions.remove();
        this.tellOf('logins', error);
      });
    }
  }

  private async askItself(): Promise<void> {
    const asked = Date.now();
    const [{ now }] = await this.dataSource.query<[{ now: number }]>(
      'SELECT extract(epoch FROM clock_timestamp())::float8 AS now',
    );
    this.clock.set(now - (asked + Date.now()) / 2000);
  }

  private async countPending(): Promise<void> {
    this.pending.set((await this.dataSource.pendingMigrations()).length);
  }

  private async countMails(): Promise<void> {
    const [{ oldest, ...states }] = await this.dataSource.query<[Mails]>(
      `SELECT count(*) FILTER (WHERE next_attempt_at IS NOT NULL AND failure IS NULL)::float8
                AS waiting,
              count(*) FILTER (WHERE next_attempt_at IS NOT NULL AND failure IS NOT NULL)::float8
                AS retrying,
              count(*) FILTER (WHERE next_attempt_at IS NULL AND sent_at IS NULL)::float8 AS dead,
              count(*) FILTER (WHERE sent_at IS NOT NULL)::float8 AS sent,
              coalesce(extract(epoch FROM now() - min(created_at)
                FILTER (WHERE next_attempt_at IS NOT NULL)), 0)::float8 AS oldest
         FROM mail`,
    );
    for (const [state, mails] of Object.entries(states)) this.mails.set({ state }, mails);
    this.oldestMail.set(oldest);
  }

  private async countSessions(): Promise<void> {
    const [{ live }] = await this.dataSource.query<[{ live: number }]>(
      'SELECT count(*)::float8 AS live FROM user_session WHERE expires_at > now()',
    );
    this.sessions.set(live);
  }

  /** Rather nothing than what may not be so any more. */
  private forgetMails(): void {
    this.mails.reset();
    this.oldestMail.remove();
  }

  private tellOf(what: string, error: unknown): void {
    this.logger.warn(`The ${what} were not counted (${reasonOf(error)})`);
  }
}
