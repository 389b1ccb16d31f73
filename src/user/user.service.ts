import { Injectable } from '@nestjs/common';
import { InjectDataSource, InjectRepository } from '@nestjs/typeorm';
import type { DataSource, EntityManager, Repository } from 'typeorm';
import { violatedUniqueConstraint } from '../database/database-errors';
import { recordEvent } from '../audit/record-event';
import type { Client } from '../http/client.decorator';
import { GuessLimits } from '../limits/guess-limits.service';
import { Limits } from '../limits/limits.service';
import { Outbox } from '../mail/outbox.service';
import { PasswordHasher } from '../password/password-hasher';
import { RecoveryTokenService } from '../recovery/recovery-token.service';
import { isStorable } from '../validation/rules';
import { caseFold } from './case-fold';
import type { CreateUserDto } from './dto/create-user.dto';
import {
  ACCOUNT_COLUMNS,
  User,
  USER_EMAIL_KEY,
  USER_FOLDED_KEY,
  USER_USERNAME_KEY,
} from './user.entity';
import { UserExists } from './user.errors';
import { MAX_USERNAME_LENGTH } from './username';

/** Longer than any name that can be written here, in UTF-16 units. */
const MAX_FOLDED = 2 * MAX_USERNAME_LENGTH + 1;

/** An account as it is kept, with all that it has of its own. */
export type StoredAccount = Pick<
  User,
  'username' | 'email' | 'password' | 'emailVerifiedAt' | 'disabledAt'
>;

/** Accounts by what others cannot have as well. */
export interface Taken {
  readonly byUsername: ReadonlyMap<string, StoredAccount & { readonly id: number }>;
  readonly byEmail: ReadonlyMap<string, StoredAccount & { readonly id: number }>;
  /** By `caseFold` of the name. */
  readonly byFolded: ReadonlyMap<string, { readonly id: number }>;
  /** Addresses that an account has given up, and may take back. */
  readonly keptEmails: ReadonlySet<string>;
}

/** The accounts. */
@Injectable()
export class UserService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly hasher: PasswordHasher,
    private readonly limits: Limits,
    private readonly guesses: GuessLimits,
    private readonly recoveryTokens: RecoveryTokenService,
    private readonly outbox: Outbox,
  ) {}

  /**
   * Makes an account. Whether the name is free is for the database to say, once: whoever asks
   * first has an answer that may be wrong by the time it is used.
   *
   * @throws UserExists when the username, in whatever case, or the email address is taken
   * @throws Overloaded when too many hashes are waiting already
   * @throws TooManyRequests when there were too many from where the client is
   */
  async create({ username, email, password1 }: CreateUserDto, client: Client): Promise<void> {
    const password = await this.hasher.reserve(client.gone, async (run) => {
      await this.limits.take('registration', client);
      if (this.outbox.isOpen) await this.limits.takeMailbox('registration', email, client);
      return this.hasher.hash(run, password1);
    });
    await this.insert({ username, email, password }, async (manager, userId) => {
      await this.guesses.know(manager, userId, client);
      const { language } = client;
      await this.outbox.add(manager, { kind: 'verify', userId, recipient: email, language });
      await recordEvent(manager, client, 'user_created', { account: userId });
    });
    this.outbox.flush();
  }

  /**
   * Writes a new account, in one transaction with what else has to happen then.
   *
   * @returns its id
   * @throws UserExists when the username, in whatever case, or the email address is taken
   */
  async insert(
    account: Pick<User, 'username' | 'email' | 'password'> & Partial<User>,
    also: (manager: EntityManager, userId: number) => Promise<void>,
  ): Promise<number> {
    const { username, email } = account;
    await refuseUnfolded(this.users.manager, username);
    return this.dataSource
      .transaction(async (manager) => {
        const usernameFolded = caseFold(username);
        const { identifiers } = await manager.insert(User, { ...account, usernameFolded });
        const userId = identifiers[0]?.['id'] as number;
        // Asked now: whoever has just given the address up was waited for.
        if (await this.recoveryTokens.isKeptForAnother(manager, email)) throw new UserExists();
        await also(manager, userId);
        return userId;
      })
      .catch(refuseTaken);
  }

  /**
   * Writes many new accounts, but for those whose username, in whatever case, or email address is
   * taken at that moment, in one transaction with what else has to happen then. Of several that would
   * have the same, the first is written.
   *
   * @returns those that were written
   */
  async insertMany<Account extends StoredAccount>(
    accounts: readonly Account[],
    also: (manager: EntityManager, userIds: readonly number[]) => Promise<void>,
  ): Promise<Set<Account>> {
    const column = <T>(of: (account: Account) => T): T[] => accounts.map(of);
    const rows = await this.dataSource.transaction(async (manager) => {
      const inserted = await manager.query<{ id: number; username: string; email: string }[]>(
        `INSERT INTO "user"
                (username, username_folded, email, password, email_verified_at, disabled_at)
         SELECT username, folded, email, password, verified, disabled
           FROM unnest($1::varchar[], $2::varchar[], $3::varchar[], $4::varchar[],
                       $5::timestamptz[], $6::timestamptz[]) WITH ORDINALITY
                AS account (username, folded, email, password, verified, disabled, nth)
          ORDER BY nth
         ON CONFLICT DO NOTHING RETURNING id, username, email`,
        [
          column(({ username }) => username),
          column(({ username }) => caseFold(username)),
          column(({ email }) => email),
          column(({ password }) => password),
          column(({ emailVerifiedAt }) => emailVerifiedAt),
          column(({ disabledAt }) => disabledAt),
        ],
      );
      // Of those that somebody has just given up, and may take back.
      const emails = inserted.map(({ email }) => email);
      const kept = await this.recoveryTokens.keptAmong(manager, emails);
      await also(
        manager,
        inserted.map(({ id }) => id),
      );
      if (kept.size === 0) return inserted;
      await manager.query('DELETE FROM "user" WHERE email = ANY ($1)', [[...kept]]);
      return inserted.filter(({ email }) => !kept.has(email));
    });
    const emails = new Map(rows.map(({ username, email }) => [username, email]));
    return new Set(
      accounts.filter(({ username, email }) => {
        const written = emails.get(username) === email;
        // Another like it was not.
        if (written) emails.delete(username);
        return written;
      }),
    );
  }

  /** What stands in the way of accounts that are to be written, or is there of them already. */
  async findTaken(accounts: readonly StoredAccount[]): Promise<Taken> {
    const usernames = accounts.map(({ username }) => username);
    const emails = accounts.map(({ email }) => email);
    // One index each.
    const select = `SELECT id, username, email, password, email_verified_at AS "emailVerifiedAt",
                           disabled_at AS "disabledAt" FROM "user"`;
    const rows = await this.users.query<(StoredAccount & { id: number })[]>(
      `${select} WHERE username = ANY ($1)
        UNION ${select} WHERE email = ANY ($2)
        UNION ${select} WHERE username_folded = ANY ($3)
        UNION ${select} WHERE username_folded IS NULL AND lower(username COLLATE "C") IN (
                                SELECT lower(name COLLATE "C") FROM unnest($1::varchar[]) AS name)`,
      [usernames, emails, usernames.map(caseFold)],
    );
    return {
      byUsername: new Map(rows.map((row) => [row.username, row])),
      byEmail: new Map(rows.map((row) => [row.email, row])),
      // Names that others wrote may be of any length.
      byFolded: new Map(rows.map((row) => [caseFold(row.username.slice(0, MAX_FOLDED)), row])),
      keptEmails: await this.recoveryTokens.keptAmong(this.users.manager, emails),
    };
  }

  /** The account of exactly this name, if there is one, with the hash to verify its password against. */
  async findWithPassword(username: string): Promise<User | null> {
    if (!isStorable(username)) return null;
    // Written here, the query of every login: TypeORM takes as long to write it as PostgreSQL to
    // answer it.
    const [user] = await this.users.query<User[]>(
      `SELECT ${ACCOUNT_COLUMNS}, password, disabled_at AS "disabledAt" FROM "user" WHERE username = $1`,
      [username],
    );
    return user ?? null;
  }

  /**
   * Replaces the hash of a password, unless somebody has changed that meanwhile.
   *
   * @returns whether it was replaced
   */
  async replaceHash({ id, password: old }: User, password: string): Promise<boolean> {
    const { affected } = await this.users.update({ id, password: old }, { password });
    return affected === 1;
  }

  /**
   * Gives an account another name, unless it has not the old one any more, in the transaction of
   * what else has to happen then.
   *
   * @returns the account with the hash of its password
   * @throws UserExists when the name is taken, in whatever case
   */
  async rename(
    manager: EntityManager,
    { id, username: old }: User,
    username: string,
  ): Promise<User | undefined> {
    await refuseUnfolded(manager, username, id);
    // Of an UPDATE, TypeORM answers the rows and how many they are.
    const [[renamed]] = await manager
      .query<[User[], number]>(
        `UPDATE "user" SET username = $3, username_folded = $4 WHERE id = $1 AND username = $2
         RETURNING ${ACCOUNT_COLUMNS}, password`,
        [id, old, username, caseFold(username)],
      )
      .catch(refuseTaken);
    return renamed;
  }
}

/**
 * The unique index knows no account whose name is not folded yet, of before or of the FastAPI backend.
 * Those are asked for here, as far as the case of ASCII letters goes; `NameFoldingService` comes for
 * the rest. It is enough to look before writing: no account becomes unfolded again.
 *
 * @param own account that may have the name
 * @throws UserExists when another one has it
 */
async function refuseUnfolded(manager: EntityManager, username: string, own = 0): Promise<void> {
  const found = await manager.query<unknown[]>(
    `SELECT FROM "user"
      WHERE username_folded IS NULL
        AND lower(username COLLATE "C") = lower($1 COLLATE "C") AND id <> $2
      LIMIT 1`,
    [username, own],
  );
  if (found.length > 0) throw new UserExists();
}

/** @throws UserExists for what failed because a name or an address is taken, or what else failed */
export function refuseTaken(error: unknown): never {
  const constraint = violatedUniqueConstraint(error) ?? '';
  if ([USER_USERNAME_KEY, USER_EMAIL_KEY, USER_FOLDED_KEY].includes(constraint)) {
    throw new UserExists(error);
  }
  throw error;
}
