import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { Settings } from '../config/settings';
import { DatabaseService } from '../database/database.service';
import { PeriodicJob } from '../database/periodic-job';
import { reasonOf, safeError } from '../logging/safe-error';
import { MailComposer } from './mail-composer';
import type { Mail } from './mail.entity';
import { MailServer, NotSent } from './mail-server';
import { Outbox } from './outbox.service';

/** For what others have written down; what this process has, it is told of. */
const INTERVAL_MS = 5000;
/** Mails under way: a server that hangs holds others up only past so many. */
const AT_ONCE = 10;
/** Longest that a server may take for a mail, all in all. */
const EXCHANGE_MS = 120_000;
/** So long a mail is its process's: longer than an exchange, and what is written down after it. */
const LEASE_SECONDS = 180;
/** What is under way when the service stops may take so long. */
const FAREWELL_MS = 1000;

const HOUR_SECONDS = 60 * 60;
/** After the first failure, the second, and so on; then the last again and again. */
const RETRY_SECONDS = [10, 60, 5 * 60, 15 * 60, HOUR_SECONDS, 3 * HOUR_SECONDS];
/** Part of that time by which mails that failed together come apart. */
const JITTER = 0.2;

/** A mail that is this process's to send, for a while. */
type Claimed = Pick<
  Mail,
  'id' | 'kind' | 'userId' | 'recipient' | 'language' | 'createdAt' | 'attempts'
> & {
  readonly expired: boolean;
};

/**
 * Sends what is in the outbox: of all processes one at a time each mail, outside of any transaction.
 * What fails comes again, later each time, until it is no use any more; then it stays as a dead letter.
 * So does what was refused for good. A mail that takes long holds no other up, unless as many as may be
 * under way all do.
 */
@Injectable()
export class MailWorker extends PeriodicJob {
  private readonly underWay = new Set<Promise<void>>();
  private claiming: Promise<unknown> = Promise.resolve();
  private readonly exchanges = new AbortController();

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    database: DatabaseService,
    private readonly settings: Settings,
    private readonly composer: MailComposer,
    private readonly server: MailServer,
    outbox: Outbox,
  ) {
    super(database, INTERVAL_MS);
    // The run that follows is the job's, not part of the request that has woken it.
    outbox.onFlush(() => {
      this.wake();
    });
  }

  /** Begins with what is due, as far as there is room, and waits for none of it. */
  async run(signal: AbortSignal): Promise<void> {
    if (this.settings.mail === 'none') return;
    while (!signal.aborted && this.underWay.size < AT_ONCE) {
      const claim = this.claim();
      this.claiming = claim;
      const mail = await claim;
      if (mail === undefined) return;
      const delivery = this.deliver(mail, signal).finally(() => {
        this.underWay.delete(delivery);
        this.wake();
      });
      this.underWay.add(delivery);
    }
  }

  override async beforeApplicationShutdown(): Promise<void> {
    await super.beforeApplicationShutdown();
    // From here on, none is claimed. Whether the last claim has failed is told by the run.
    await Promise.allSettled([this.claiming]);
    await Promise.race([Promise.all(this.underWay), delay(FAREWELL_MS)]);
    this.exchanges.abort();
    await Promise.all(this.underWay);
  }

  /** Takes the mail that has been due longest. Whoever comes to it next is whoever finds it due again. */
  private async claim(): Promise<Claimed | undefined> {
    // Of an UPDATE, TypeORM answers the rows and how many they are.
    const [[mail]] = await this.dataSource.query<[Claimed[], number]>(
      `UPDATE mail SET attempts = attempts + 1, next_attempt_at = now() + $1 * interval '1 second'
        WHERE id = (SELECT id FROM mail WHERE next_attempt_at <= now()
                     ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
        RETURNING id, kind, user_id AS "userId", recipient, language, created_at AS "createdAt",
                  attempts, expires_at <= now() AS expired`,
      [LEASE_SECONDS],
    );
    return mail;
  }

  /** Never fails: what does is told of, and the mail comes again. */
  private async deliver(mail: Claimed, stopping: AbortSignal): Promise<void> {
    try {
      if (stopping.aborted) {
        await this.giveBack(mail);
      } else if (mail.expired && mail.userId === null) {
        // Somebody has typed an address: nobody need look into it, and it may be nobody's.
        await this.remove(mail);
      } else if (mail.expired) {
        await this.bury(mail, 'expired');
      } else {
        await this.compose(mail);
      }
    } catch (error) {
      if (this.exchanges.signal.aborted) await this.giveBack(mail);
      else await this.noteFailure(mail, error);
    }
  }

  /** @throws NotSent */
  private async compose(mail: Claimed): Promise<void> {
    const composed = await this.composer.compose(mail);
    if (composed === undefined) {
      await this.remove(mail);
      return;
    }
    const isKept = this.settings.mail === 'kept';
    if (!isKept) {
      const inTime = AbortSignal.timeout(EXCHANGE_MS);
      await this.server.send(mail, composed, AbortSignal.any([this.exchanges.signal, inTime]));
    }
    await this.dataSource.query(
      `UPDATE mail SET sent_at = now(), next_attempt_at = NULL, failure = NULL, content = $2
        WHERE id = $1`,
      [mail.id, isKept ? JSON.stringify(composed) : null],
    );
  }

  private async remove({ id }: Claimed): Promise<void> {
    await this.dataSource.query('DELETE FROM mail WHERE id = $1', [id]);
  }

  /** The service stops: the mail is due for another process at once, as if this one had not had it. */
  private async giveBack(mail: Claimed): Promise<void> {
    try {
      await this.dataSource.query(
        `UPDATE mail SET next_attempt_at = now(), attempts = attempts - 1
          WHERE id = $1 AND attempts = $2 AND next_attempt_at IS NOT NULL`,
        [mail.id, mail.attempts],
      );
    } catch (failure) {
      // When its lease ends, it comes again all the same.
      this.logger.warn(`${nameOf(mail)}: not given back (${reasonOf(failure)})`);
    }
  }

  private async noteFailure(mail: Claimed, error: unknown): Promise<void> {
    try {
      if (!(error instanceof NotSent)) {
        const { stack } = safeError(error);
        this.logger.error(`${nameOf(mail)} failed: ${reasonOf(error)}`, stack.join('\n'));
        await this.putOff(mail, 'failed here: the log says why');
      } else if (error.isFinal) {
        await this.bury(mail, error.code, error.reply);
      } else {
        this.logger.warn(`${nameOf(mail)} was not sent, and will be tried again: ${error.code}`);
        await this.putOff(mail, error.reply);
      }
    } catch (failure) {
      // When its lease ends, it comes again all the same.
      this.logger.warn(`${nameOf(mail)}: not noted (${reasonOf(failure)})`);
    }
  }

  private async putOff({ id, attempts }: Claimed, failure: string): Promise<void> {
    const seconds = RETRY_SECONDS[attempts - 1] ?? RETRY_SECONDS.at(-1) ?? 0;
    await this.dataSource.query(
      `UPDATE mail SET failure = $2, next_attempt_at =
              least(now() + $3 * interval '1 second', greatest(expires_at, now()))
        WHERE id = $1 AND sent_at IS NULL`,
      [id, failure, seconds * (1 + JITTER * Math.random())],
    );
  }

  /** It is not tried any more, and kept to be seen. */
  private async bury(mail: Claimed, code: string, failure?: string): Promise<void> {
    this.logger.error(`${nameOf(mail)} will not be sent: ${code}`);
    await this.dataSource.query(
      `UPDATE mail SET next_attempt_at = NULL, failure = coalesce($2, 'expired: ' || failure, 'expired')
        WHERE id = $1`,
      [mail.id, failure ?? null],
    );
  }
}

/** For the log: whose it is stands in the table. */
function nameOf({ id, kind, attempts }: Claimed): string {
  return `Mail ${id} (${kind}, attempt ${String(attempts)})`;
}
