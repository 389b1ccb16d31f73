import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { ValidationFailed } from '../errors/api-error';
import type { Client } from '../http/client.decorator';
import { logSecurity } from '../logging/security-log';
import type { RunHash } from '../password/hash-queue';
import { PasswordHasher } from '../password/password-hasher';
import { ReferenceTokenService } from '../session/reference-token.service';
import { SessionService } from '../session/session.service';
import { User } from '../user/user.entity';
import { UserService } from '../user/user.service';
import { InvalidToken } from './auth.errors';
import { AuthService } from './auth.service';
import type { ChangePasswordDto } from './dto/change-password.dto';
import type { DeleteAccountDto } from './dto/delete-account.dto';
import type { TokenResponse } from './dto/token.response';

/** An account with its new name, and the token that speaks for that. */
export interface Renamed {
  readonly user: User;
  readonly token: TokenResponse;
}

/**
 * What the owner of an account does to it, as far as it ends logins. Each is one transaction, which
 * locks the account before its logins: whoever logs in at that time waits for the outcome.
 */
@Injectable()
export class AccountService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly users: UserService,
    private readonly hasher: PasswordHasher,
    private readonly sessions: SessionService,
    private readonly referenceTokens: ReferenceTokenService,
    private readonly auth: AuthService,
  ) {}

  /**
   * Gives an account another password, and ends every login of it but the current one.
   *
   * @throws ValidationFailed when the current password is another
   */
  async changePassword(
    { account, sessionId }: Express.User,
    { current_password, password1 }: ChangePasswordDto,
    client: Client,
  ): Promise<void> {
    const ids = { account: account.id, session: sessionId };
    const refuse = (): never => {
      logSecurity(client.log, 'authn_password_change_fail', ids);
      throw incorrectPassword('current_password');
    };
    const { old, password } = await this.hasher.reserve(client.gone, async (run) => {
      const verified = await this.verify(run, account, current_password);
      return {
        old: verified ?? refuse(),
        password: await this.hasher.hash(run, password1),
      };
    });
    await this.dataSource.transaction(async (manager) => {
      const { affected } = await manager.update(
        User,
        { id: account.id, password: old },
        { password },
      );
      // Somebody has changed it meanwhile: the one that was verified is not the current one.
      if (affected !== 1) refuse();
      await this.referenceTokens.endAll(manager, account.id);
      await this.sessions.endAll(manager, account.id, sessionId);
    });
    logSecurity(client.log, 'authn_password_change', ids);
  }

  /**
   * Deletes an account and everything of it.
   *
   * @throws ValidationFailed when its password is another
   */
  async delete(
    { account, sessionId }: Express.User,
    { password }: DeleteAccountDto,
    client: Client,
  ): Promise<void> {
    const ids = { account: account.id, session: sessionId };
    const refuse = (): never => {
      logSecurity(client.log, 'user_deleted_fail', ids);
      throw incorrectPassword('password');
    };
    const old = await this.hasher.reserve(client.gone, async (run) => {
      return (await this.verify(run, account, password)) ?? refuse();
    });
    await this.dataSource.transaction(async (manager) => {
      const { affected } = await manager.delete(User, { id: account.id, password: old });
      if (affected !== 1) refuse();
      await this.referenceTokens.endName(manager, account.username);
    });
    logSecurity(client.log, 'user_deleted', ids);
  }

  /**
   * Gives an account another name. Every token that speaks for the old one dies; logins that a
   * refresh token can give a new one go on, and so does the current one, with the token answered.
   *
   * @throws UserExists when the name is taken
   */
  async rename(
    { account, sessionId }: Express.User,
    username: string,
    client: Client,
  ): Promise<Renamed> {
    const { renamed, session } = await this.dataSource.transaction(async (manager) => {
      const renamed = await this.users.rename(manager, account, username);
      if (renamed === undefined) throw new InvalidToken();
      await this.referenceTokens.endAll(manager, account.id);
      await this.referenceTokens.endName(manager, account.username);
      const renewed = await this.sessions.renew(manager, account.id, sessionId);
      const session =
        sessionId === undefined ? await this.sessions.start(renamed, client, { manager }) : renewed;
      // Ended by another request since this one was let in.
      if (session === undefined) throw new InvalidToken();
      return { renamed, session };
    });
    logSecurity(client.log, 'user_updated', { account: account.id, session: session.id });
    return { user: renamed, token: this.auth.tokenFor(renamed.username, session) };
  }

  /**
   * Ends the logins of an account, and every token of the reference that speaks for it; this login
   * too, if that is meant.
   */
  async logOutEverywhere(
    { account, sessionId }: Express.User,
    { includeCurrent }: { includeCurrent: boolean },
    client: Client,
  ): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await this.referenceTokens.endAll(manager, account.id);
      await this.sessions.endAll(manager, account.id, includeCurrent ? undefined : sessionId);
    });
    logSecurity(client.log, 'authn_token_revoked', { account: account.id });
  }

  /** The hash of an account's password, if this is its password. */
  private async verify(
    run: RunHash,
    { username }: User,
    password: string,
  ): Promise<string | undefined> {
    const user = await this.users.findWithPassword(username);
    const matched = await this.hasher.verify(run, password, username, user?.password);
    return matched === undefined ? undefined : user?.password;
  }
}

/** Whoever is logged in and does not know the password is told so at its field. */
function incorrectPassword(field: string): ValidationFailed {
  return new ValidationFailed([{ loc: ['body', field], messageName: 'incorrectPassword' }]);
}
