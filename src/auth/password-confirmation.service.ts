import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { ValidationFailed } from '../errors/api-error';
import type { Client } from '../http/client.decorator';
import { GuessLimits } from '../limits/guess-limits.service';
import type { RunHash } from '../password/hash-queue';
import { PasswordHasher } from '../password/password-hasher';
import type { User } from '../user/user.entity';
import { UserService } from '../user/user.service';

/** What is done for whoever has confirmed the password of an account. */
interface ConfirmedWork {
  /** Done within the same place in the queue of hashes, such as another hash. */
  readonly prepare?: (run: RunHash) => Promise<string>;
  /** Does it, given the hash that was verified, or says that it is another by now. */
  readonly commit: (manager: EntityManager, old: string, prepared: string) => Promise<boolean>;
}

/** Asks for the password of an account before something is done to it that a login alone must not. */
@Injectable()
export class PasswordConfirmation {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly users: UserService,
    private readonly hasher: PasswordHasher,
    private readonly guesses: GuessLimits,
  ) {}

  /**
   * Does something to an account for whoever knows its password. If the hash is another by the time
   * it is to be done, of the same password or of another, the password is verified anew.
   *
   * @returns whether it was the password
   * @throws TooManyRequests when it was guessed too often
   */
  async confirm(
    account: User,
    password: string,
    client: Client,
    { prepare = () => Promise.resolve(''), commit }: ConfirmedWork,
  ): Promise<boolean> {
    const { id, username } = account;
    for (;;) {
      const verified = await this.hasher.reserve(client.gone, async (run) => {
        const find = (): Promise<User> => Promise.resolve(account);
        const old = await this.guesses.guess({ username, find }, client, async () => {
          const user = await this.users.findWithPassword(username);
          const matched = await this.hasher.verify(run, password, username, user?.password);
          // The name may be somebody else's by now, whose password is none of this account's.
          if (user?.id !== id || user.disabledAt !== null) return undefined;
          return matched === undefined ? undefined : user.password;
        });
        return old === undefined ? undefined : { old, prepared: await prepare(run) };
      });
      if (verified === undefined) return false;
      const { old, prepared } = verified;
      const done = await this.dataSource.transaction((manager) => commit(manager, old, prepared));
      if (done) return true;
    }
  }
}

/** Whoever is logged in and does not know the password is told so at its field. */
export function incorrectPassword(field: string): ValidationFailed {
  return new ValidationFailed([{ loc: ['body', field], messageName: 'incorrectPassword' }]);
}
