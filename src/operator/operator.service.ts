import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { AccountAccess } from '../auth/account-access.service';
import { AccountService } from '../auth/account.service';
import { GuessLimits } from '../limits/guess-limits.service';
import type { MailKind } from '../mail/mail.entity';
import { Outbox } from '../mail/outbox.service';
import { PasswordHasher } from '../password/password-hasher';
import { UserService } from '../user/user.service';
import { RequestValidationPipe } from '../validation/request-validation.pipe';
import type { FoundAccount } from './account-lookup.service';
import { ChosenPasswordDto } from './dto/chosen-password.dto';
import { NewAccountDto } from './dto/new-account.dto';
import { OperatorError } from './operator.errors';
import { OperatorLog } from './operator-log';

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
    private readonly log: OperatorLog,
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
    const id = await this.users.insert(account, async (manager, userId) => {
      if (kind !== undefined) await this.send(manager, kind, { id: userId, email });
    });
    this.log.account('user_created', id);
    return id;
  }

  /** Nobody logs in to it any more, and every login of it ends. */
  async disable({ id }: FoundAccount): Promise<void> {
    await this.change(
      id,
      'UPDATE "user" SET disabled_at = coalesce(disabled_at, now()) WHERE id = $1',
      (manager) => this.access.end(manager, id),
    );
    this.log.account('user_disabled', id);
  }

  async enable({ id }: FoundAccount): Promise<void> {
    await this.change(id, 'UPDATE "user" SET disabled_at = NULL WHERE id = $1');
    this.log.account('user_enabled', id);
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
      'UPDATE "user" SET password = $2 WHERE id = $1',
      async (manager) => {
        await this.access.end(manager, id);
        await this.guesses.forget(manager, id);
      },
      password,
    );
    this.log.account('authn_password_change', id);
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
    await this.dataSource.transaction((manager) => this.send(manager, 'reset', { id, email }));
    this.log.account('password_reset_requested', id);
  }

  /** Ends every login of an account, and every token of the reference that speaks for it. */
  async logOut({ id }: FoundAccount): Promise<void> {
    await this.dataSource.transaction((manager) => this.access.endLogins(manager, id));
    this.log.account('authn_token_revoked', id);
  }

  /** Lets its password be guessed again as if nobody ever had. */
  async unlock({ id }: FoundAccount): Promise<void> {
    await this.dataSource.transaction((manager) => this.guesses.reset(manager, id));
    this.log.account('authn_login_unlock', id);
  }

  /** Deletes an account and everything of it. */
  async delete({ id }: FoundAccount): Promise<void> {
    const deleted = await this.dataSource.transaction((manager) =>
      this.accounts.remove(manager, id),
    );
    if (!deleted) throw gone();
    this.log.account('user_deleted', id);
  }

  /** @throws ValidationFailed */
  private async hashOf(chosen: ChosenPasswordDto): Promise<string> {
    const { password1 } = await this.validation.body(ChosenPasswordDto, chosen);
    return this.hasher.reserve(undefined, (run) => this.hasher.hash(run, password1));
  }

  /** @throws OperatorError when somebody has deleted it meanwhile */
  private async change(
    id: number,
    update: string,
    also: (manager: EntityManager) => Promise<void> = () => Promise.resolve(),
    ...parameters: unknown[]
  ): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      // Of an UPDATE, TypeORM answers the rows and how many they are.
      const [, count] = await manager.query<[unknown, number]>(update, [id, ...parameters]);
      if (count === 0) throw gone();
      await also(manager);
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
