import { Injectable } from '@nestjs/common';
import { InjectDataSource, InjectRepository } from '@nestjs/typeorm';
import type { DataSource, EntityManager, Repository } from 'typeorm';
import { violatedUniqueConstraint } from '../database/database-errors';
import type { Client } from '../http/client.decorator';
import { GuessLimits } from '../limits/guess-limits.service';
import { Limits } from '../limits/limits.service';
import { logSecurity } from '../logging/security-log';
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
      return this.hasher.hash(run, password1);
    });
    await refuseUnfolded(this.users.manager, username);
    const usernameFolded = caseFold(username);
    const id = await this.dataSource
      .transaction(async (manager) => {
        if (await this.recoveryTokens.isKeptForAnother(manager, email)) throw new UserExists();
        const { identifiers } = await manager.insert(User, {
          username,
          usernameFolded,
          email,
          password,
        });
        const userId = identifiers[0]?.['id'] as number;
        await this.guesses.know(manager, userId, client);
        const { language } = client;
        await this.outbox.add(manager, { kind: 'verify', userId, recipient: email, language });
        return userId;
      })
      .catch(refuseTaken);
    this.outbox.flush();
    logSecurity(client.log, 'user_created', { account: id });
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
