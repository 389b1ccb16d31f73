import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { recordEvent } from '../audit/record-event';
import type { Client } from '../http/client.decorator';
import { GuessLimits } from '../limits/guess-limits.service';
import { Limits } from '../limits/limits.service';
import { logSecurity } from '../logging/security-log';
import type { RunHash } from '../password/hash-queue';
import { PasswordHasher } from '../password/password-hasher';
import { ReferenceTokenService } from '../session/reference-token.service';
import { RefreshTokenService } from '../session/refresh-token.service';
import { SessionService, type StartedSession } from '../session/session.service';
import type { User } from '../user/user.entity';
import { UserService } from '../user/user.service';
import { Settings } from '../config/settings';
import {
  EmailNotVerified,
  IncorrectCredentials,
  InvalidRefreshToken,
  InvalidToken,
  throwForOAuth,
} from './auth.errors';
import type { LoginDto } from './dto/login.dto';
import type { TokenResponse } from './dto/token.response';
import { TokenService } from './token.service';

/** Asks for a refresh token (OpenID Connect Core §11). */
const OFFLINE_ACCESS = 'offline_access';

/** Logging in, staying logged in, and logging out. */
@Injectable()
export class AuthService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly users: UserService,
    private readonly hasher: PasswordHasher,
    private readonly sessions: SessionService,
    private readonly refreshTokens: RefreshTokenService,
    private readonly referenceTokens: ReferenceTokenService,
    private readonly tokens: TokenService,
    private readonly limits: Limits,
    private readonly guesses: GuessLimits,
    private readonly settings: Settings,
  ) {}

  /**
   * The account of this name, with the hash of its password, if this is its password.
   *
   * A name that nobody has costs the same work: otherwise the time of an answer would tell who has
   * an account here. A place in the queue comes first, so that a refusal costs nothing.
   *
   * @throws IncorrectCredentials in both cases
   * @throws EmailNotVerified when that is asked for, to whoever knows the password
   * @throws Overloaded when too many hashes are waiting already
   * @throws TooManyRequests when it was guessed too often
   */
  async verifyPassword(username: string, password: string, client: Client): Promise<User> {
    return this.hasher.reserve(client.gone, async (run) => {
      const find = (): Promise<User | null> => this.users.findWithPassword(username);
      const user = await this.guesses
        .guess({ username, find }, client, async (found) => {
          const matching = await this.matching(run, found, username, password);
          if (matching === undefined) {
            const { manager } = this.dataSource;
            await recordEvent(manager, client, 'authn_login_fail', { account: found?.id });
          }
          return matching;
        })
        .catch(throwForOAuth);
      if (user === undefined) throw new IncorrectCredentials();
      if (this.settings.REQUIRE_VERIFIED_EMAIL && user.emailVerifiedAt === null) {
        const { manager } = this.dataSource;
        await recordEvent(manager, client, 'authn_login_unverified', { account: user.id });
        throw new EmailNotVerified();
      }
      return user;
    });
  }

  /** The account, with a hash that is as new ones are, if this is its password. */
  private async matching(
    run: RunHash,
    found: User | null,
    username: string,
    password: string,
  ): Promise<User | undefined> {
    for (let user = found; ; user = await this.users.findWithPassword(username)) {
      const matched = await this.hasher.verify(run, password, username, user?.password);
      // Disabled, an account is like one whose password nobody knows.
      if (user?.disabledAt !== null || matched === undefined) return undefined;
      if (!this.hasher.needsRehash(user.password, matched)) return user;
      const rehashed = await this.hasher.hash(run, password);
      if (await this.users.replaceHash(user, rehashed)) {
        return Object.assign(user, { password: rehashed });
      }
      // Somebody else was faster, with the same password or with another: that decides.
    }
  }

  /**
   * Starts a login of an account.
   *
   * @param user with the hash that its password was verified against
   * @throws IncorrectCredentials when the password was changed since it was verified
   */
  async logIn(
    user: User,
    { password, scope }: Pick<LoginDto, 'password' | 'scope'>,
    client: Client,
  ): Promise<TokenResponse> {
    const withRefreshToken = scope?.split(' ').includes(OFFLINE_ACCESS) ?? false;
    const session = await this.dataSource.transaction(async (manager) => {
      const started = await this.sessions.start(manager, user, client, { withRefreshToken });
      if (started !== undefined) {
        const ids = { account: user.id, session: started.id };
        await recordEvent(manager, client, 'authn_login_success', ids);
      }
      return started;
    });
    if (session === undefined) {
      // The hash is another by now: of the same password or of another, which is to be found out.
      const now = await this.verifyPassword(user.username, password, client);
      return this.logIn(now, { password, ...(scope !== undefined && { scope }) }, client);
    }
    return this.tokenFor(user.username, session);
  }

  /**
   * A new token for a login, and the successor of its refresh token.
   *
   * @throws InvalidRefreshToken for one that is unknown, has expired, or was used before
   * @throws TooManyRequests when there were too many from where the client is
   */
  async refresh(refreshToken: string, client: Client): Promise<TokenResponse> {
    await this.limits.take('refresh', client).catch(throwForOAuth);
    const used = await this.refreshTokens.use(refreshToken, client);
    if (used === undefined) {
      logSecurity(client.log, 'authn_token_invalid');
      throw new InvalidRefreshToken();
    }
    if ('reused' in used) throw new InvalidRefreshToken();
    const { account, id } = used;
    logSecurity(client.log, 'authn_token_created', { account: account.id, session: id });
    return this.tokenFor(account.username, used);
  }

  /**
   * Ends the login that a token belongs to, or, of the reference's, the token.
   *
   * @throws InvalidToken when somebody else has ended it since the request was let in
   */
  async logOut(
    { account, sessionId, referenceToken }: Express.User,
    client: Client,
  ): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      if (sessionId !== undefined && !(await this.sessions.end(manager, account.id, sessionId))) {
        throw new InvalidToken();
      }
      if (referenceToken !== undefined) await this.referenceTokens.end(manager, referenceToken);
      const ids = { account: account.id, session: sessionId };
      await recordEvent(manager, client, 'authn_token_revoked', ids);
    });
  }

  /** What a client is given for a login that has begun or goes on. */
  tokenFor(
    username: string,
    { id, generation, secondsLeft, refreshToken }: StartedSession,
  ): TokenResponse {
    const seconds = Math.min(this.settings.ACCESS_TOKEN_EXPIRE_MINUTES * 60, secondsLeft);
    return {
      access_token: this.tokens.issue({ username, sessionId: id, generation }, seconds),
      token_type: 'bearer',
      username,
      expires_in: seconds,
      ...(refreshToken !== undefined && { refresh_token: refreshToken, scope: OFFLINE_ACCESS }),
    };
  }
}
