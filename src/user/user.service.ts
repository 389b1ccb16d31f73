import { Injectable } from '@nestjs/common';
import { InjectDataSource, InjectRepository } from '@nestjs/typeorm';
import type { DataSource, EntityManager, Repository } from 'typeorm';
import { violatedUniqueConstraint } from '../database/database-errors';
import type { Client } from '../http/client.decorator';
import { logSecurity } from '../logging/security-log';
import { PasswordHasher } from '../password/password-hasher';
import { isStorable } from '../validation/rules';
import type { CreateUserDto } from './dto/create-user.dto';
import { User, USER_EMAIL_KEY, USER_USERNAME_KEY } from './user.entity';
import { UserExists } from './user.errors';

/** The accounts. */
@Injectable()
export class UserService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly hasher: PasswordHasher,
  ) {}

  /**
   * Makes an account. Whether the name is free is for the database to say, once: whoever asks
   * first has an answer that may be wrong by the time it is used.
   *
   * @throws UserExists when the username or the email address is taken
   * @throws Overloaded when too many hashes are waiting already
   */
  async create({ username, email, password1 }: CreateUserDto, client: Client): Promise<void> {
    const password = await this.hasher.reserve(client.gone, (run) =>
      this.hasher.hash(run, password1),
    );
    // A transaction, so that a statement that was given up for taking too long is never committed.
    const { identifiers } = await this.dataSource
      .transaction((manager) => manager.insert(User, { username, email, password }))
      .catch(refuseTaken);
    logSecurity(client.log, 'user_created', { account: identifiers[0]?.['id'] as number });
  }

  /** The account of exactly this name, if there is one, with the hash to verify its password against. */
  async findWithPassword(username: string): Promise<User | null> {
    if (!isStorable(username)) return null;
    // Written here, the query of every login: TypeORM takes as long to write it as PostgreSQL to
    // answer it.
    const [user] = await this.users.query<User[]>(
      'SELECT id, username, email, password FROM "user" WHERE username = $1',
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
   * @throws UserExists when the name is taken
   */
  async rename(
    manager: EntityManager,
    { id, username: old }: User,
    username: string,
  ): Promise<User | undefined> {
    // Of an UPDATE, TypeORM answers the rows and how many they are.
    const [[renamed]] = await manager
      .query<[User[], number]>(
        `UPDATE "user" SET username = $3 WHERE id = $1 AND username = $2
         RETURNING id, username, email, password`,
        [id, old, username],
      )
      .catch(refuseTaken);
    return renamed;
  }
}

/** @throws UserExists for what failed because a name or an address is taken, or what else failed */
function refuseTaken(error: unknown): never {
  const constraint = violatedUniqueConstraint(error);
  if (constraint === USER_USERNAME_KEY || constraint === USER_EMAIL_KEY) {
    throw new UserExists(error);
  }
  throw error;
}
