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
   * A name that nobody has costs a hash as well: otherwise the time of an answer would tell who
   * has an account here.
   *
   * @throws IncorrectCredentials in both cases
   */
  async verifyPassword(username: string, password: string): Promise<User> {
    const user = await this.users.findWithPassword(username);
    const matches = await this.hasher.verify(password, user?.password ?? this.hasher.dummyHash);
    if (user === null || !matches) throw new IncorrectCredentials();
    return user;
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
