import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { Repository } from 'typeorm';
import { GuessLimits, type GuessState } from '../limits/guess-limits.service';
import { Outbox, type UnsentMail } from '../mail/outbox.service';
import { parseHash } from '../password/hash-format';
import { SessionService } from '../session/session.service';
import type { UserSession } from '../session/user-session.entity';
import { caseFold } from '../user/case-fold';
import { parseEmailAddress } from '../user/email-address';
import { ACCOUNT_COLUMNS, User } from '../user/user.entity';
import { isStorable } from '../validation/rules';
import { Operator } from './operator';
import { OperatorError } from './operator.errors';

/** Logins that are shown. */
const MOST_LOGINS = 100;
/** Longest text that is looked for, in UTF-16 units: nothing that could be chosen is longer. */
const MAX_TEXT = 512;

/** An account as an operator sees it. */
export type FoundAccount = Pick<
  User,
  'id' | 'username' | 'email' | 'emailVerifiedAt' | 'disabledAt'
>;

/** What an operator lists. */
export interface ListQuery {
  /** Part of the name or of the address, in whatever case. */
  readonly text?: string | undefined;
  /** Id of the last account of the page before. */
  readonly after: number;
  readonly limit: number;
  readonly disabled: boolean;
  readonly unverified: boolean;
}

/** Everything there is to know about an account, and no secret. */
export interface AccountReport {
  readonly account: FoundAccount;
  /** Scheme and settings of its hash; undefined for one that nothing verifies against. */
  readonly hash: { readonly scheme: string; readonly settings: string } | undefined;
  readonly logins: readonly UserSession[];
  /** How many there are: not all may be among those. */
  readonly loginCount: number;
  readonly guesses: GuessState;
  readonly unsentMails: readonly UnsentMail[];
}

const COLUMNS = `${ACCOUNT_COLUMNS}, disabled_at AS "disabledAt"`;

/** Finds accounts for an operator. Changes nothing. */
@Injectable()
export class AccountLookup {
  constructor(
    @InjectRepository(User) private readonly users: Repository<User>,
    private readonly sessions: SessionService,
    private readonly guesses: GuessLimits,
    private readonly outbox: Outbox,
    private readonly operator: Operator,
  ) {}

  /**
   * The account that is meant by `id:5`, by its exact username, or by its email address.
   *
   * @throws OperatorError when there is none, or several are meant
   */
  async find(name: string): Promise<FoundAccount> {
    const found = await this.named(name);
    const [account] = found;
    if (account === undefined) {
      throw new OperatorError('There is no such account: list finds it by a part of its name');
    }
    if (found.length > 1) {
      const ids = found.map(({ id }) => `id:${String(id)}`).join(' and ');
      throw new OperatorError(
        `That is the name of one account and the address of another: say ${ids}, whichever is meant`,
      );
    }
    return account;
  }

  /** One page of accounts by id, and whether there are more. */
  async list({
    text,
    after,
    limit,
    disabled,
    unverified,
  }: ListQuery): Promise<{ accounts: FoundAccount[]; more: boolean }> {
    const conditions = ['id > $1::bigint'];
    const parameters: unknown[] = [after, limit + 1];
    if (disabled) conditions.push('disabled_at IS NOT NULL');
    if (unverified) conditions.push('email_verified_at IS NULL');
    if (text !== undefined) {
      if (!isStorable(text) || text.length > MAX_TEXT) return { accounts: [], more: false };
      conditions.push(
        `(coalesce(username_folded, lower(username)) LIKE $3 OR lower(email) LIKE $4)`,
      );
      parameters.push(`%${literal(caseFold(text))}%`, `%${literal(text.toLowerCase())}%`);
    }
    const accounts = await this.users.query<FoundAccount[]>(
      `SELECT ${COLUMNS} FROM "user" WHERE ${conditions.join(' AND ')} ORDER BY id LIMIT $2`,
      parameters,
    );
    return { accounts: accounts.slice(0, limit), more: accounts.length > limit };
  }

  /** @throws OperatorError when there is no such account */
  async report(name: string): Promise<AccountReport> {
    const account = await this.find(name);
    const { id, email } = account;
    // It reads from where somebody logs in.
    this.operator.say('user_shown', { account: id });
    const [row] = await this.users.query<{ password: string }[]>(
      'SELECT password FROM "user" WHERE id = $1',
      [id],
    );
    const { sessions, total } = await this.sessions.list(id, 1, MOST_LOGINS);
    return {
      account,
      hash: parseHash(row?.password ?? ''),
      logins: sessions,
      loginCount: total,
      guesses: await this.guesses.stateOf(id),
      unsentMails: await this.outbox.unsentTo(id, email),
    };
  }

  private async named(name: string): Promise<FoundAccount[]> {
    const [, id] = /^id:(\d{1,15})$/.exec(name) ?? [];
    if (id !== undefined) {
      // A name that looks like this is named by its id: nobody can take an id away from an account.
      return this.users.query<FoundAccount[]>(
        `SELECT ${COLUMNS} FROM "user" WHERE id = $1::bigint`,
        [id],
      );
    }
    if (!isStorable(name)) return [];
    return this.users.query<FoundAccount[]>(
      `SELECT ${COLUMNS} FROM "user" WHERE username = $1 OR email = ANY ($2) ORDER BY id`,
      [name, [name, parseEmailAddress(name) ?? name]],
    );
  }
}

/** A text as LIKE takes it for itself. */
function literal(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
