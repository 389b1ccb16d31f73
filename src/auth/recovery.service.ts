import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { ValidationFailed } from '../errors/api-error';
import { recordEvent } from '../audit/record-event';
import type { Client } from '../http/client.decorator';
import { GuessLimits } from '../limits/guess-limits.service';
import { Limits } from '../limits/limits.service';
import { logSecurity, type SecurityEvent } from '../logging/security-log';
import { Outbox } from '../mail/outbox.service';
import { PasswordHasher } from '../password/password-hasher';
import type { Purpose } from '../recovery/recovery-token.entity';
import { type Presented, RecoveryTokenService } from '../recovery/recovery-token.service';
import { User } from '../user/user.entity';
import { UserExists } from '../user/user.errors';
import { refuseTaken } from '../user/user.service';
import { AccountAccess } from './account-access.service';
import type { ChangeEmailDto } from './dto/change-email.dto';
import type { MailTokenDto } from './dto/mail-token.dto';
import type { ResetPasswordDto } from './dto/reset-password.dto';
import type { VerifyEmailDto } from './dto/verify-email.dto';
import { incorrectPassword, PasswordConfirmation } from './password-confirmation.service';

/** An account that is locked, whose address is about to be confirmed or changed. */
interface Locked {
  readonly email: string;
  readonly verified: boolean;
}

/** What whoever reads the mail of an address may do to its account, and how that mail is asked for. */
@Injectable()
export class RecoveryService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly tokens: RecoveryTokenService,
    private readonly outbox: Outbox,
    private readonly hasher: PasswordHasher,
    private readonly access: AccountAccess,
    private readonly confirmation: PasswordConfirmation,
    private readonly limits: Limits,
    private readonly guesses: GuessLimits,
  ) {}

  /**
   * Sends a mail to reset the password to whoever has this address. Whether anybody does is found out
   * when the mail is sent: here, the work is the same.
   *
   * @throws NoMail
   * @throws TooManyRequests when there were too many from there, or to that mailbox
   */
  async forgotPassword(email: string, client: Client): Promise<void> {
    await this.send('reset', email, null, client);
  }

  /**
   * Sends a mail to confirm the address of the login's account, or of whoever has this one, if it is
   * not confirmed.
   *
   * @throws NoMail
   * @throws TooManyRequests when there were too many from there, or to that mailbox
   */
  async resendVerification(
    email: string | undefined,
    login: Express.User | undefined,
    client: Client,
  ): Promise<void> {
    const recipient = login?.account.email ?? email;
    if (recipient === undefined) {
      throw new ValidationFailed([{ loc: ['body', 'email'], messageName: 'required' }]);
    }
    await this.send('verify', recipient, login?.account.id ?? null, client);
  }

  /**
   * Gives an account another password. Every login of it ends, and whatever else was sent to get in.
   *
   * @throws ValidationFailed when the token is not good
   * @throws TooManyRequests when there were too many tokens from there
   */
  async resetPassword(body: ResetPasswordDto, client: Client): Promise<void> {
    const presented = await this.find(['reset'], body, client);
    const { userId } = presented;
    const password = await this.hasher.reserve(client.gone, (run) =>
      this.hasher.hash(run, body.password1),
    );
    await this.dataSource.transaction(async (manager) => {
      await this.lock(manager, presented);
      await manager.query('UPDATE "user" SET password = $2 WHERE id = $1', [userId, password]);
      await this.markVerified(manager, userId);
      await this.endAccess(manager, userId);
      await this.guesses.know(manager, userId, client);
      await recordEvent(manager, client, 'password_reset', { account: userId });
    });
  }

  /**
   * Confirms an address: the one that the account has, or the one that it is to have and has from
   * then on. The latter takes a login of the account or its password. Whoever confirms the former
   * without either may be another than who has signed up with it: the logins and the password of before
   * end then, and a mail to choose one is sent.
   *
   * @throws ValidationFailed when the token is not good, or the password is another or is needed
   * @throws UserExists when somebody else has the address by now
   * @throws TooManyRequests when there were too many tokens from there, or guesses
   */
  async verifyEmail(
    { password, ...body }: VerifyEmailDto,
    login: Express.User | undefined,
    client: Client,
  ): Promise<void> {
    const presented = await this.find(['verify', 'change'], body, client);
    const { userId, purpose } = presented;
    const isLoggedIn = login?.account.id === userId;
    if (password === undefined || isLoggedIn) {
      if (purpose === 'change' && !isLoggedIn) {
        throw new ValidationFailed([{ loc: ['body', 'password'], messageName: 'required' }]);
      }
      await this.dataSource.transaction(async (manager) => {
        const isNews = await this.confirmAddress(manager, presented);
        const ids = { account: userId, ...(isLoggedIn && { session: login.sessionId }) };
        await recordEvent(manager, client, confirmationEvent(presented), ids);
        if (isNews && !isLoggedIn) await this.lockOut(manager, presented, client);
      });
    } else {
      await this.confirmWithPassword(presented, password, client);
    }
    this.outbox.flush();
  }

  /**
   * Sends mails to give an account another address: one to that, by which it is confirmed, and one to
   * that of before, by which this can be undone.
   *
   * @throws ValidationFailed when the password is another
   * @throws UserExists when somebody has the address
   * @throws NoMail
   * @throws TooManyRequests when the password was guessed too often, or there were too many mails
   */
  async changeEmail(
    { account, sessionId }: Express.User,
    { email, password }: ChangeEmailDto,
    client: Client,
  ): Promise<void> {
    const { id } = account;
    const { language } = client;
    const ids = { account: id, session: sessionId };
    this.outbox.assertOpen();
    await this.limits.take('mail', client);
    const asked = await this.confirmation.confirm(account, password, client, {
      prepare: async () => {
        await this.limits.takeMailbox('change', email, client);
        await this.limits.takeMailbox('changing', account.email, client);
        return '';
      },
      commit: async (manager, old) => {
        const current = await lockedEmail(manager, id, old);
        if (current === undefined) return false;
        if (await this.isTaken(manager, email, id)) throw new UserExists();
        // The last one that was asked for is meant.
        await this.outbox.withdraw(manager, id, 'change');
        await this.tokens.endAll(manager, id, ['change']);
        const mail = { userId: id, language };
        if (email === current) {
          await this.outbox.add(manager, { ...mail, kind: 'verify', recipient: email });
        } else {
          await this.outbox.add(manager, { ...mail, kind: 'change', recipient: email });
          await this.outbox.add(manager, { ...mail, kind: 'changing', recipient: current });
        }
        await recordEvent(manager, client, 'email_change_requested', ids);
        return true;
      },
    });
    if (!asked) {
      await recordEvent(this.dataSource.manager, client, 'email_change_fail', ids);
      throw incorrectPassword('password');
    }
    this.outbox.flush();
  }

  /**
   * Gives an account the address of before again. Whoever changed it knew the password: that ends,
   * with all logins, and a mail to choose another is sent. If somebody else has the address by now,
   * which only another backend on the same database makes possible, the account is disabled: nobody
   * is left who could show that it is theirs.
   *
   * @throws ValidationFailed when the token is not good
   * @throws UserExists when somebody else has the address by now
   * @throws TooManyRequests when there were too many tokens from there
   */
  async revertEmail(body: MailTokenDto, client: Client): Promise<void> {
    const presented = await this.find(['revert'], body, client);
    const { userId, email } = presented;
    const isReverted = await this.dataSource.transaction(async (manager) => {
      const account = await this.lock(manager, presented);
      await this.endLaterChanges(manager, presented);
      if (account.email !== email && (await this.isTaken(manager, email, userId))) {
        await manager.query('UPDATE "user" SET disabled_at = now(), password = $2 WHERE id = $1', [
          userId,
          this.hasher.unknownPassword(),
        ]);
        await this.endAccess(manager, userId);
        await recordEvent(manager, client, 'user_disabled', { account: userId });
        return false;
      }
      if (account.email !== email) await this.changeAddress(manager, userId, email);
      await this.markVerified(manager, userId);
      await recordEvent(manager, client, 'email_reverted', { account: userId });
      await this.lockOut(manager, presented, client);
      return true;
    });
    if (!isReverted) throw new UserExists();
    this.outbox.flush();
  }

  private async send(
    kind: 'reset' | 'verify',
    recipient: string,
    userId: number | null,
    client: Client,
  ): Promise<void> {
    this.outbox.assertOpen();
    await this.limits.take('mail', client);
    await this.limits.takeMailbox(kind, recipient, client);
    const { language } = client;
    await this.dataSource.transaction(async (manager) => {
      await this.outbox.add(manager, { kind, userId, recipient, language });
      if (kind === 'reset') await recordEvent(manager, client, 'password_reset_requested');
    });
    this.outbox.flush();
  }

  /** @throws ValidationFailed when the password is another */
  private async confirmWithPassword(
    presented: Presented,
    password: string,
    client: Client,
  ): Promise<void> {
    const { userId } = presented;
    const account = await this.dataSource.manager.findOneBy(User, { id: userId });
    if (account === null) throw invalidToken();
    const confirmed = await this.confirmation.confirm(account, password, client, {
      commit: async (manager, old) => {
        if ((await lockedEmail(manager, userId, old)) === undefined) return false;
        await this.confirmAddress(manager, presented);
        await recordEvent(manager, client, confirmationEvent(presented), { account: userId });
        return true;
      },
    });
    if (confirmed) return;
    const { manager } = this.dataSource;
    await recordEvent(manager, client, 'email_verify_fail', { account: userId });
    throw incorrectPassword('password');
  }

  /**
   * Uses a token up to confirm an address.
   *
   * @returns whether it was not confirmed before
   * @throws UserExists when it is to be the account's, and somebody else has it by now
   */
  private async confirmAddress(manager: EntityManager, presented: Presented): Promise<boolean> {
    const { userId, email, purpose } = presented;
    const account = await this.lock(manager, presented);
    if (purpose === 'change') {
      await this.changeAddress(manager, userId, email);
      const undone = await this.tokens.changeFrom(manager, userId, email);
      if (undone === undefined) {
        await this.tokens.prolongRevert(manager, userId, account.email);
        await this.tokens.keep(manager, presented, account.email);
      } else {
        // Back at an address of before, what could undo the way there is no good any more.
        await this.endLaterChanges(manager, { userId, email, mailId: undone });
      }
      await this.outbox.withdraw(manager, userId, 'change');
      await this.tokens.endAll(manager, userId, ['reset', 'change']);
    }
    await this.markVerified(manager, userId);
    return !account.verified;
  }

  private async find(
    purposes: readonly Purpose[],
    { token, email }: MailTokenDto,
    client: Client,
  ): Promise<Presented> {
    await this.limits.take('mail token', client);
    const presented = await this.tokens.find(purposes, token, email);
    if (presented === undefined) {
      logSecurity(client.log, 'authn_token_invalid');
      throw invalidToken();
    }
    return presented;
  }

  /**
   * Locks the account, as whoever changes one does before all else, and uses the token up.
   *
   * @throws ValidationFailed when somebody else has used it, nobody may log in there, or it was sent to
   *   an address that is the account's no more
   */
  private async lock(manager: EntityManager, presented: Presented): Promise<Locked> {
    const [account] = await manager.query<Locked[]>(
      `SELECT email, email_verified_at IS NOT NULL AS verified FROM "user"
        WHERE id = $1 AND disabled_at IS NULL FOR NO KEY UPDATE`,
      [presented.userId],
    );
    if (account === undefined || !(await this.tokens.use(manager, presented))) throw invalidToken();
    const isForOwnAddress = ['reset', 'verify'].includes(presented.purpose);
    if (isForOwnAddress && account.email !== presented.email) throw invalidToken();
    return account;
  }

  /** Whether somebody else has an address, or it is kept for them. */
  private async isTaken(manager: EntityManager, email: string, userId: number): Promise<boolean> {
    const rows = await manager.query<unknown[]>(
      'SELECT FROM "user" WHERE email = $1 AND id <> $2',
      [email, userId],
    );
    return rows.length > 0 || this.tokens.isKeptForAnother(manager, email, userId);
  }

  /** @throws UserExists when somebody else has it, or it is kept for them */
  private async changeAddress(
    manager: EntityManager,
    userId: number,
    email: string,
  ): Promise<void> {
    await manager
      .query('UPDATE "user" SET email = $2, email_verified_at = now() WHERE id = $1', [
        userId,
        email,
      ])
      .catch(refuseTaken);
    // Asked now: whoever has just given it up was waited for.
    if (await this.tokens.isKeptForAnother(manager, email, userId)) throw new UserExists();
  }

  /** Ends what could undo a change that is undone, or one after it, now or when its mail arrives. */
  private async endLaterChanges(
    manager: EntityManager,
    change: Pick<Presented, 'userId' | 'email' | 'mailId'>,
  ): Promise<void> {
    await this.tokens.endReverted(manager, change);
    await this.outbox.withdraw(manager, change.userId, 'changing', change.mailId);
  }

  /** Notes that its owner reads the mail of an account's address: nothing is left to be confirmed. */
  private async markVerified(manager: EntityManager, userId: number): Promise<void> {
    await manager.query(
      'UPDATE "user" SET email_verified_at = coalesce(email_verified_at, now()) WHERE id = $1',
      [userId],
    );
    await this.tokens.endAll(manager, userId, ['verify']);
  }

  /** Nobody gets in any more but whoever reads the mail of the address. */
  private async lockOut(
    manager: EntityManager,
    { userId, email }: Presented,
    client: Client,
  ): Promise<void> {
    const { language } = client;
    // Without mail, nobody at all would.
    this.outbox.assertOpen();
    await manager.query('UPDATE "user" SET password = $2 WHERE id = $1', [
      userId,
      this.hasher.unknownPassword(),
    ]);
    await this.endAccess(manager, userId);
    await recordEvent(manager, client, 'authn_password_removed', { account: userId });
    await this.outbox.add(manager, { kind: 'reset', userId, recipient: email, language });
  }

  private async endAccess(manager: EntityManager, userId: number): Promise<void> {
    await this.access.end(manager, userId);
    await this.guesses.forget(manager, userId);
  }
}

/** The address of an account that has this hash still. Whoever changes either waits from now on. */
async function lockedEmail(
  manager: EntityManager,
  userId: number,
  hash: string,
): Promise<string | undefined> {
  const [account] = await manager.query<{ email: string }[]>(
    `SELECT email FROM "user"
      WHERE id = $1 AND password = $2 AND disabled_at IS NULL FOR NO KEY UPDATE`,
    [userId, hash],
  );
  return account?.email;
}

/** What has happened when a token was used to confirm an address. */
function confirmationEvent({ purpose }: Presented): SecurityEvent {
  return purpose === 'change' ? 'email_changed' : 'email_verified';
}

function invalidToken(): ValidationFailed {
  return new ValidationFailed([{ loc: ['body', 'token'], messageName: 'mailToken' }]);
}
