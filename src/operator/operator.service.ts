import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { recordEvent } from '../audit/record-event';
import { AccountAccess } from '../auth/account-access.service';
import { AccountService } from '../auth/account.service';
import { GuessLimits } from '../limits/guess-limits.service';
import type { SecurityEvent } from '../logging/security-log';
import type { MailKind } from '../mail/mail.entity';
import { Outbox } from '../mail/outbox.service';
import { PasswordHasher } from '../password/password-hasher';
import { UserService } from '../user/user.service';
import { RequestValidationPipe } from '../validation/request-validation.pipe';
import type { FoundAccount } from './account-lookup.service';
import { ChosenPasswordDto } from './dto/chosen-password.dto';
import { NewAccountDto } from './dto/new-account.dto';
import { OperatorError } from './operator.errors';
import { Operator } from './operator';

/** Of mails that an operator has sent: as for whoever wishes for no language. */
const LANGUAGE = 'ko';

/** How an account is made. */
export interface NewAccount {
  readonly username: string;
  readonly email: string;
  /** The address is known to be its owner's. */
  readonly verified: boolean;
}

/**
 * What an operator does to an account. Each is one transaction, which locks the account before its
 * logins, as what the owner does.
 */
@Injectable()
export class OperatorService {
  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly users: UserService,
    private readonly accounts: AccountService,
    private readonly hasher: PasswordHasher,
    private readonly access: AccountAccess,
    private readonly guesses: GuessLimits,
    private readonly outbox: Outbox,
    private readonly validation: RequestValidationPipe,
    private readonly operator: Operator,
  ) {}

  /**
   * Checks what an account is to be called, before its password is asked for.
   *
   * @throws ValidationFailed
   */
  async assertAcceptable({ username, email }: NewAccount): Promise<void> {
    await this.validation.body(NewAccountDto, { username, email });
  }

  /**
   * Makes an account, by the rules of a registration. Unless its address is known to be its owner's,
   * they get a mail to confirm it; or one to choose a password, if it is to have none.
   *
   * @returns its id
   * @throws ValidationFailed
   * @throws UserExists when the username, in whatever case, or the email address is taken
   * @throws NoMail when it is to have no password
   */
  async create(
    { verified, ...names }: NewAccount,
    chosen: ChosenPasswordDto | undefined,
  ): Promise<number> {
    if (chosen === undefined) this.outbox.assertOpen();
    const { username, email } = await this.validation.body(NewAccountDto, names);
    const password =
      chosen === undefined ? this.hasher.unknownPassword() : await this.hashOf(chosen);
    const kind = chosen === undefined ? 'reset' : verified ? undefined : 'verify';
    const account = { username, email, password, ...(verified && { emailVerifiedAt: new Date() }) };
    return this.users.insert(account, async (manager, userId) => {
      if (kind !== undefined) await this.send(manager, kind, { id: userId, email });
      await recordEvent(manager, this.operator, 'user_created', { account: userId });
    });
  }

  /** Nobody logs in to it any more, and every login of it ends. */
  async disable({ id }: FoundAccount): Promise<void> {
    await this.change(
      id,
      'user_disabled',
      'UPDATE "user" SET disabled_at = coalesce(disabled_at, now()) WHERE id = $1',
      (manager) => this.access.end(manager, id),
    );
  }

  async enable({ id }: FoundAccount): Promise<void> {
    await this.change(id, 'user_enabled', 'UPDATE "user" SET disabled_at = NULL WHERE id = $1');
  }

  /**
   * Gives an account another password. Every login of it ends, and whatever was sent to choose one.
   *
   * @throws ValidationFailed
   */
  async setPassword({ id }: FoundAccount, chosen: ChosenPasswordDto): Promise<void> {
    const password = await this.hashOf(chosen);
    await this.change(
      id,
      'authn_password_change',
      'UPDATE "user" SET password = $2 WHERE id = $1',
      async (manager) => {
        await this.access.end(manager, id);
        await this.guesses.forget(manager, id);
      },
      password,
    );
  }

  /**
   * Has a mail sent by which the owner can choose a password.
   *
   * @throws NoMail
   */
  async sendReset({ id, email, disabledAt }: FoundAccount): Promise<void> {
    this.outbox.assertOpen();
    if (disabledAt !== null) {
      throw new OperatorError(
        'The account is disabled, and the mail would be of no use: enable it',
      );
    }
    await this.recorded('password_reset_requested', id, (manager) =>
      this.send(manager, 'reset', { id, email }),
    );
  }

  /** Ends every login of an account, and every token of the reference that speaks for it. */
  async logOut({ id }: FoundAccount): Promise<void> {
    await this.recorded('authn_tokens_revoked', id, (manager) =>
      this.access.endLogins(manager, id),
    );
  }

  /** Lets its password be guessed again as if nobody ever had. */
  async unlock({ id }: FoundAccount): Promise<void> {
    await this.recorded('authn_login_unlock', id, (manager) => this.guesses.reset(manager, id));
  }

  /** Deletes an account and everything of it. */
  async delete({ id }: FoundAccount): Promise<void> {
    const deleted = await this.dataSource.transaction((manager) =>
      this.accounts.remove(manager, this.operator, { account: id }),
    );
    if (!deleted) throw gone();
  }

  /** @throws ValidationFailed */
  private async hashOf(chosen: ChosenPasswordDto): Promise<string> {
    const { password1 } = await this.validation.body(ChosenPasswordDto, chosen);
    return this.hasher.reserve(undefined, (run) => this.hasher.hash(run, password1));
  }

  /** @throws OperatorError when somebody has deleted it meanwhile */
  private async change(
    id: number,
    event: SecurityEvent,
    update: string,
    also: (manager: EntityManager) => Promise<void> = () => Promise.resolve(),
    ...parameters: unknown[]
  ): Promise<void> {
    await this.recorded(event, id, async (manager) => {
      // Of an UPDATE, TypeORM answers the rows and how many they are.
      const [, count] = await manager.query<[unknown, number]>(update, [id, ...parameters]);
      if (count === 0) throw gone();
      await also(manager);
    });
  }

  /** Does something to an account, and writes down that it was done. */
  private async recorded(
    event: SecurityEvent,
    id: number,
    work: (manager: EntityManager) => Promise<void>,
  ): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      await work(manager);
      await recordEvent(manager, this.operator, event, { account: id });
    });
  }

  private async send(
    manager: EntityManager,
    kind: MailKind,
    { id: userId, email: recipient }: Pick<FoundAccount, 'id' | 'email'>,
  ): Promise<void> {
    await this.outbox.add(manager, { kind, userId, recipient, language: LANGUAGE });
  }
}

function gone(): OperatorError {
  return new OperatorError('The account is not there any more');
}
