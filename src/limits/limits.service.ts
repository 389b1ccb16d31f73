import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { RateLimiterPostgres, RateLimiterRes } from 'rate-limiter-flexible';
import type { DataSource } from 'typeorm';
import type { Rate } from '../config/rate';
import { Settings } from '../config/settings';
import type { MessageName } from '../errors/messages';
import type { Client } from '../http/client.decorator';
import { logSecurity } from '../logging/security-log';
import { TooManyRequests } from './limits.errors';
import { Pseudonyms } from './pseudonyms';

/** Names of the settings that say how often something may be done. */
type RateSetting = {
  [Name in keyof Settings]: Settings[Name] extends Rate ? Name : never;
}[keyof Settings];

/** What can be done too often: the setting that says how often it may be, and what is said then. */
const DOORS = {
  password: { setting: 'LOGIN_FAILURES_PER_ADDRESS', says: 'tooManyPasswords' },
  'password of account': {
    setting: 'LOGIN_FAILURES_PER_ACCOUNT_AT_ADDRESS',
    says: 'tooManyPasswords',
  },
  registration: { setting: 'REGISTRATIONS_PER_ADDRESS', says: 'tooManyRequests' },
  refresh: { setting: 'REFRESHES_PER_ADDRESS', says: 'tooManyRequests' },
  mail: { setting: 'MAIL_REQUESTS_PER_ADDRESS', says: 'tooManyRequests' },
  mailbox: { setting: 'MAILS_PER_MAILBOX', says: 'tooManyRequests' },
  'mail token': { setting: 'MAIL_TOKENS_PER_ADDRESS', says: 'tooManyRequests' },
  rename: { setting: 'RENAMES_PER_ACCOUNT', says: 'tooManyRequests' },
} as const satisfies Record<string, { setting: RateSetting; says: MessageName }>;

export type Door = keyof typeof DOORS;

export const DOOR_NAMES = Object.keys(DOORS) as Door[];

/** Something that was counted. */
export interface Taken {
  /** Counts it no more. */
  giveBack(): Promise<void>;
  /** Counts nothing of before any more. */
  reset(): Promise<void>;
}

const NOTHING: Taken = {
  giveBack: () => Promise.resolve(),
  reset: () => Promise.resolve(),
};

/** Of rate-limiter-flexible: how long a key is refused from memory. */
interface InMemoryBlocks {
  getInMemoryBlockMsBeforeExpire(key: string): number;
}

/**
 * How often something may be done in a window of time, which begins with the first of it. All
 * processes count in one table, each in one statement; whoever goes on at twice the limit is refused
 * from memory. Without its database, nobody is let in, and the answer is 503 as anywhere.
 */
@Injectable()
export class Limits {
  private readonly limiters: Readonly<Record<Door, RateLimiterPostgres>>;

  constructor(
    @InjectDataSource() dataSource: DataSource,
    private readonly settings: Settings,
    private readonly pseudonyms: Pseudonyms,
  ) {
    // Without the names that it gives its statements: a pooler may hand on the connection.
    const storeClient = {
      query: async ({ text, values }: { text: string; values: unknown[] }) => ({
        rows: await dataSource.query<unknown[]>(text, values),
      }),
    };
    const limiter = (door: Door): RateLimiterPostgres => {
      const { count, seconds } = settings[DOORS[door].setting];
      return new RateLimiterPostgres({
        storeClient,
        storeType: 'pool',
        tableName: 'rate_limit',
        tableCreated: true,
        clearExpiredByTimeout: false,
        keyPrefix: door,
        points: count,
        duration: seconds,
        inMemoryBlockOnConsumed: 2 * count,
      });
    };
    const limiters = DOOR_NAMES.map((door) => [door, limiter(door)]);
    this.limiters = Object.fromEntries(limiters) as Record<Door, RateLimiterPostgres>;
  }

  /**
   * Counts one more mail of a kind to an address, however that is written.
   *
   * @throws TooManyRequests when there were too many
   */
  async takeMailbox(kind: string, email: string, client: Client): Promise<void> {
    const key = this.pseudonyms.of(`mailbox:${kind}:${email.toLowerCase()}`);
    await this.take('mailbox', client, key);
  }

  /**
   * Refuses who has gone on at twice the limit, and counts nothing: at once, without the database.
   *
   * @param key of whom it is counted, by default of the address of the client
   * @throws TooManyRequests
   */
  refuseKnown(door: Door, client: Client, key = this.pseudonyms.ofPlace(client)): void {
    const limiter = this.limiters[door];
    // Its types leave this out.
    const blocks = limiter as unknown as InMemoryBlocks;
    const ms = blocks.getInMemoryBlockMsBeforeExpire(limiter.getKey(key));
    if (ms > 0) throw refused(door, client, ms);
  }

  /**
   * Counts one more, before it is done.
   *
   * @param key of whom it is counted, by default of the address of the client
   * @throws TooManyRequests when there were too many
   */
  async take(door: Door, client: Client, key = this.pseudonyms.ofPlace(client)): Promise<Taken> {
    if (!this.settings.RATE_LIMIT) return NOTHING;
    const limiter = this.limiters[door];
    const { msBeforeNext } = await limiter.consume(key).catch((refusal: unknown) => {
      // What is thrown is this, or what the database said.
      if (!(refusal instanceof RateLimiterRes)) throw refusal;
      throw refused(door, client, refusal.msBeforeNext);
    });
    const windowEnds = Date.now() + msBeforeNext;
    return {
      async giveBack() {
        // In the next window nothing of it was counted.
        if (Date.now() < windowEnds) await limiter.reward(key);
      },
      async reset() {
        await limiter.delete(key);
      },
    };
  }
}

function refused(door: Door, client: Client, msBeforeNext: number): TooManyRequests {
  logSecurity(client.log, 'excess_rate_limit_exceeded', { door });
  return new TooManyRequests(DOORS[door].says, Math.max(1, Math.ceil(msBeforeNext / 1000)));
}
