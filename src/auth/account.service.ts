import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { type Actor, recordEvent } from '../audit/record-event';
import { afterCommit } from '../database/after-commit';
import type { Client } from '../http/client.decorator';
import { GuessLimits } from '../limits/guess-limits.service';
import { Limits } from '../limits/limits.service';
import { logSecurity } from '../logging/security-log';
import { PasswordHasher } from '../password/password-hasher';
import { ReferenceTokenService } from '../session/reference-token.service';
import { SessionService } from '../session/session.service';
import { User } from '../user/user.entity';
import { UserService } from '../user/user.service';
import { InvalidToken } from './auth.errors';
import { AccountAccess } from './account-access.service';
import { AuthService } from './auth.service';
import { incorrectPassword, PasswordConfirmation } from './password-confirmation.service';
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
    private readonly limits: Limits,
    private readonly guesses: GuessLimits,
    private readonly confirmation: PasswordConfirmation,
    private readonly access: AccountAccess,
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
    const changed = await this.confirmation.confirm(account, current_password, client, {
      prepare: (run) => this.hasher.hash(run, password1),
      commit: async (manager, old, password) => {
        const { affected } = await manager.update(
          User,
          { id: account.id, password: old },
          { password },
        );
        if (affected !== 1) return false;
        await this.access.end(manager, account.id, sessionId);
        await this.guesses.forgetOtherPlaces(manager, account.id, client);
        await recordEvent(manager, client, 'authn_password_change', ids);
        return true;
      },
    });
    if (changed) return;
    await recordEvent(this.dataSource.manager, client, 'authn_password_change_fail', ids);
    throw incorrectPassword('current_password');
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
    const deleted = await this.confirmation.confirm(account, password, client, {
      commit: (manager, old) => this.remove(manager, client, ids, old),
    });
    if (deleted) return;
    await recordEvent(this.dataSource.manager, client, 'user_deleted_fail', ids);
    throw incorrectPassword('password');
  }

  /**
   * Deletes an account and everything of it, in the transaction of what else has to happen then.
   *
   * @param password hash that it has to have still, if that matters
   * @returns whether it was there
   */
  async remove(
    manager: EntityManager,
    actor: Actor,
    { account: id, session }: { readonly account: number; readonly session?: string | undefined },
    password?: string,
  ): Promise<boolean> {
    // For the trigger, which records it.
    await manager.query(
      `SELECT set_config('user_account.session', $1, true), set_config('user_account.operator', $2, true)`,
      [session ?? '', actor.operator ?? ''],
    );
    // Of a DELETE, TypeORM answers the rows and how many they are.
    const [[gone]] = await manager.query<[{ username: string }[], number]>(
      'DELETE FROM "user" WHERE id = $1 AND password = coalesce($2, password) RETURNING username',
      [id, password ?? null],
    );
    if (gone === undefined) return false;
    await this.referenceTokens.endName(manager, gone.username);
    await this.guesses.forget(manager, id);
    afterCommit(manager, () => {
      const { log, operator } = actor;
      logSecurity(log, 'user_deleted', { account: id, session, operator });
    });
    return true;
  }

  /**
   * Gives an account another name. Every token that speaks for the old one dies; logins that a
   * refresh token can give a new one go on, and so does the current one, with the token answered.
   *
   * @throws UserExists when the name is taken
   * @throws TooManyRequests when it had too many names already
   */
  async rename(
    { account, sessionId, referenceToken }: Express.User,
    username: string,
    client: Client,
  ): Promise<Renamed> {
    await this.limits.take('rename', client, String(account.id));
    const { renamed, session } = await this.dataSource.transaction(async (manager) => {
      const renamed = await this.users.rename(manager, account, username);
      if (renamed === undefined) throw new InvalidToken();
      // Whoever ended it since the request was let in has done so by now.
      if (
        referenceToken &&
        !(await this.referenceTokens.isAlive(manager, referenceToken, account.id))
      ) {
        throw new InvalidToken();
      }
      await this.referenceTokens.endAll(manager, account.id);
      await this.referenceTokens.endName(manager, account.username);
      const renewed = await this.sessions.renew(manager, account.id, sessionId, client);
      const session =
        sessionId === undefined ? await this.sessions.start(manager, renamed, client) : renewed;
      // Ended by another request since this one was let in.
      if (session === undefined) throw new InvalidToken();
      const ids = { account: account.id, session: session.id };
      await recordEvent(manager, client, 'user_updated', ids);
      if (sessionId === undefined) await recordEvent(manager, client, 'authn_login_success', ids);
      return { renamed, session };
    });
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
      await this.access.endLogins(manager, account.id, includeCurrent ? undefined : sessionId);
      const ids = { account: account.id, session: sessionId };
      await recordEvent(manager, client, 'authn_tokens_revoked', ids);
    });
  }

  /** Ends one login of an account, by whatever may be its id. @returns whether it had such a one */
  async endLogin(account: User, id: string, client: Client): Promise<boolean> {
    return this.dataSource.transaction(async (manager) => {
      if (!(await this.sessions.end(manager, account.id, id))) return false;
      const ids = { account: account.id, session: id };
      await recordEvent(manager, client, 'authn_token_revoked', ids);
      return true;
    });
  }
}
