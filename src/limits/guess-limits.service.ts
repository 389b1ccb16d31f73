import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { recordEvent } from '../audit/record-event';
import { Settings } from '../config/settings';
import type { Client } from '../http/client.decorator';
import { logSecurity } from '../logging/security-log';
import { TooManyRequests } from './limits.errors';
import { Limits } from './limits.service';
import { PasswordFailure } from './password-failure.entity';
import { Pseudonyms } from './pseudonyms';

/** Waiting time after the first failure that has one; each further doubles it, to the longest. */
const FIRST_DELAY_SECONDS = 30;
const LONGEST_DELAY_SECONDS = 60 * 60;
/** So long, a name that nobody has stays limited after it was last tried. */
const NAME_DAYS = 30;
/** So long after the last login from there, a place is known. */
export const PLACE_DAYS = 90;

/** What was done too often, in the log, where an account was guessed by whomever. */
export const ACCOUNT_DOOR = 'account';

/** Whose password is guessed: an account, or a name that nobody has. */
export interface Guessed<Account extends { readonly id: number }> {
  readonly username: string;
  /** Looks the account up, unless the client is refused before. */
  readonly find: () => Promise<Account | null>;
}

/** What was guessed of an account. */
export interface GuessState {
  /** Wrong passwords in a row. */
  readonly failures: number;
  /** Strangers come from where nobody has given the right password before. */
  readonly lockedOut: 'nobody' | 'strangers' | 'everyone';
}

/**
 * How often the password of an account may be guessed. A guess counts as a failure from before it is
 * verified, so that of many at once none is free; the right password takes all failures of the
 * account back. After some failures in a row, strangers wait longer and longer for the next guess;
 * after most of `LOGIN_FAILURES_PER_ACCOUNT`, they wait for the owner. The rest is for places from
 * where somebody has given the right password before, who wait for no stranger.
 */
@Injectable()
export class GuessLimits {
  private readonly total: number;
  private readonly forStrangers: number;

  constructor(
    @InjectRepository(PasswordFailure) private readonly failures: Repository<PasswordFailure>,
    private readonly limits: Limits,
    private readonly pseudonyms: Pseudonyms,
    private readonly settings: Settings,
  ) {
    this.total = settings.LOGIN_FAILURES_PER_ACCOUNT;
    this.forStrangers = this.total - Math.ceil(this.total / 10);
  }

  /**
   * Verifies a password, if it may be guessed.
   *
   * @param verify verifies it, and says undefined if it is another
   * @returns what `verify` does
   * @throws TooManyRequests without having called it
   */
  async guess<Account extends { readonly id: number }, T>(
    { username, find }: Guessed<Account>,
    client: Client,
    verify: (account: Account | null) => Promise<T | undefined>,
  ): Promise<T | undefined> {
    if (!this.settings.RATE_LIMIT) return verify(await find());
    const name = `name:${this.pseudonyms.of(`name:${username}`)}`;
    const nameAtAddress = this.pseudonyms.ofPlace(client, name);
    // Before anything is waited for: who goes on all the same holds nobody up.
    this.limits.refuseKnown('password', client);
    this.limits.refuseKnown('password of account', client, nameAtAddress);
    const ofAddress = await this.limits.take('password', client);
    const ofName = await this.limits
      .take('password of account', client, nameAtAddress)
      .catch(async (refusal: unknown) => {
        // Of one account that is tried again and again, others at the address know nothing.
        if (refusal instanceof TooManyRequests) await ofAddress.giveBack();
        throw refusal;
      });
    const found = await find();
    const id = found?.id;
    const account = id === undefined ? name : accountKey(id);
    const failures = await this.count(account, id, client);
    const verified = await verify(found);
    if (verified !== undefined) {
      // One after the other: a login needs no more than one connection.
      await this.succeeded(account, id, client);
      await ofName.reset();
      await ofAddress.giveBack();
    } else if (failures === this.forStrangers || failures === this.total) {
      await recordEvent(this.failures.manager, client, 'authn_login_lock', { account: id });
    }
    return verified;
  }

  /** How often the password of an account was guessed wrong in a row, and who may not guess it now. */
  async stateOf(userId: number): Promise<GuessState> {
    const [found] = await this.failures.query<{ failures: number; waiting: boolean }[]>(
      'SELECT failures, retry_at > now() AS waiting FROM password_failure WHERE account = $1',
      [accountKey(userId)],
    );
    const { failures, waiting } = found ?? { failures: 0, waiting: false };
    const isDelayed = failures >= this.settings.LOGIN_FAILURES_BEFORE_DELAY && waiting;
    const strangers = failures >= this.forStrangers || isDelayed;
    return {
      failures,
      lockedOut: failures >= this.total ? 'everyone' : strangers ? 'strangers' : 'nobody',
    };
  }

  /** Lets an account be guessed again as if nobody ever had, in the transaction of what is the reason. */
  async reset(manager: EntityManager, userId: number): Promise<void> {
    await manager.query('DELETE FROM password_failure WHERE account = $1', [accountKey(userId)]);
  }

  /**
   * Forgets all of an account, in the transaction of what is the reason: it is deleted, or has another
   * password, which nobody has guessed and nobody has given anywhere.
   */
  async forget(manager: EntityManager, userId: number): Promise<void> {
    await manager.query('DELETE FROM known_place WHERE user_id = $1', [userId]);
    await this.reset(manager, userId);
  }

  /** Forgets from where an account was logged in to but here, in the transaction of what is the reason. */
  async forgetOtherPlaces(manager: EntityManager, userId: number, client: Client): Promise<void> {
    await manager.query('DELETE FROM known_place WHERE user_id = $1 AND place <> ALL ($2)', [
      userId,
      this.pseudonyms.allOfPlace(client, accountKey(userId)),
    ]);
  }

  /**
   * Knows from where somebody has shown that an account is theirs, in the transaction in which they do:
   * made it, say.
   */
  async know(manager: EntityManager, userId: number, client: Client): Promise<void> {
    await manager.query(
      `INSERT INTO known_place (user_id, place) VALUES ($1, $2)
       ON CONFLICT (user_id, place) DO UPDATE SET last_login_at = now()`,
      [userId, this.pseudonyms.ofPlace(client, accountKey(userId))],
    );
  }

  /**
   * Counts one more failure, if there may be one more: one statement, so that of those who ask at
   * once each sees the one before.
   *
   * @returns how many there are now
   */
  private async count(
    account: string,
    userId: number | undefined,
    client: Client,
  ): Promise<number> {
    const [found] = await this.failures.query<
      [{ failures: number | null; stopped: boolean | null; wait: number | null }]
    >(
      `WITH here AS (
              SELECT EXISTS (
                       SELECT FROM known_place WHERE user_id = $2 AND place = ANY ($3)
                          AND last_login_at > now() - interval '${String(PLACE_DAYS)} days') AS known),
            counted AS (
              INSERT INTO password_failure AS f (account, failures, retry_at, expires_at)
              VALUES ($1, 1, now() + $7 * interval '1 second',
                      CASE WHEN $2::integer IS NULL THEN now() + interval '${String(NAME_DAYS)} days'
                           ELSE 'infinity' END)
              ON CONFLICT (account) DO UPDATE
                 SET failures = f.failures + 1, expires_at = excluded.expires_at,
                     retry_at = now() + least($8, $7 * 2 ^ greatest(0, f.failures + 1 - $6::integer))
                                        * interval '1 second'
               WHERE CASE WHEN (SELECT known FROM here) THEN f.failures < $4
                          ELSE f.failures < $5 AND (f.failures < $6 OR f.retry_at <= now()) END
              RETURNING failures)
       SELECT (SELECT failures FROM counted), f.failures >= $5 AS stopped,
              ceil(extract(epoch FROM f.retry_at - now()))::integer AS wait
         FROM here LEFT JOIN password_failure f ON f.account = $1`,
      [
        account,
        userId ?? null,
        this.pseudonyms.allOfPlace(client, account),
        this.total,
        this.forStrangers,
        this.settings.LOGIN_FAILURES_BEFORE_DELAY,
        FIRST_DELAY_SECONDS,
        LONGEST_DELAY_SECONDS,
      ],
    );
    const { failures, stopped, wait } = found;
    if (failures !== null) return failures;
    logSecurity(client.log, 'excess_rate_limit_exceeded', { account: userId, door: ACCOUNT_DOOR });
    // No time ends a stop; and what was read is of before whoever was faster.
    const seconds = stopped === true ? LONGEST_DELAY_SECONDS : Math.max(1, wait ?? 1);
    throw new TooManyRequests('tooManyPasswords', seconds);
  }

  /** Takes the failures of an account back, and knows the place for it from now on. */
  private async succeeded(
    account: string,
    userId: number | undefined,
    client: Client,
  ): Promise<void> {
    await this.failures.query(
      `WITH forgotten AS (DELETE FROM password_failure WHERE account = $1)
       INSERT INTO known_place AS k (user_id, place)
       SELECT $2::integer, $3 WHERE $2 IS NOT NULL
       ON CONFLICT (user_id, place) DO UPDATE SET last_login_at = now()
        WHERE k.last_login_at < now() - interval '1 day'`,
      [account, userId ?? null, this.pseudonyms.ofPlace(client, account)],
    );
  }
}

/** Under what the failures of an account are counted, whatever it is called. */
function accountKey(userId: number): string {
  return `user:${String(userId)}`;
}
