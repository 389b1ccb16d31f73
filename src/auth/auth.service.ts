import { Injectable } from '@nestjs/common';
import { PasswordHasher } from '../password/password-hasher';
import type { User } from '../user/user.entity';
import { UserService } from '../user/user.service';
import { IncorrectCredentials } from './auth.errors';
import type { TokenResponse } from './dto/token.response';
import { TokenService } from './token.service';

/** Logging in. */
@Injectable()
export class AuthService {
  constructor(
    private readonly users: UserService,
    private readonly hasher: PasswordHasher,
    private readonly tokens: TokenService,
  ) {}

  /**
   * The account of this name, if this is its password.
   *
   * A name that nobody has costs the same work: otherwise the time of an answer would tell who has
   * an account here. A place in the queue comes first, so that a refusal costs nothing.
   *
   * @param client aborted when nobody waits for the answer any more
   * @throws IncorrectCredentials in both cases
   * @throws Overloaded when too many hashes are waiting already
   */
  async verifyPassword(username: string, password: string, client?: AbortSignal): Promise<User> {
    return this.hasher.reserve(client, async (run) => {
      const user = await this.users.findWithPassword(username);
      const matches = await this.hasher.verify(run, password, username, user?.password);
      if (user === null || !matches) throw new IncorrectCredentials();
      if (this.hasher.needsRehash(user.password, password)) {
        await this.users.replaceHash(user, await this.hasher.hash(run, password));
      }
      return user;
    });
  }

  /** Starts a login of an account whose password was verified. */
  logIn({ username }: User): TokenResponse {
    return {
      access_token: this.tokens.issue(username),
      token_type: 'bearer',
      username,
      expires_in: this.tokens.expiresIn,
    };
  }
}
