import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { recordEach, recordEvent } from '../audit/record-event';
import { databaseErrorCode } from '../database/database-errors';
import { PasswordHasher } from '../password/password-hasher';
import { caseFold } from '../user/case-fold';
import { type StoredAccount, type Taken, UserService } from '../user/user.service';
import { BadLine, MAX_LINE_BYTES, readAccountLine } from './account-line';
import { linesOf } from './lines';
import { Operator } from './operator';

/** Accounts that are written at once: whoever signs up at that moment with one of their names waits. */
const BATCH_ROWS = 500;

/** What became of an import, in accounts and lines. */
export interface ImportCounts {
  /** Accounts that were made. */
  created: number;
  /** Those that were there, of the same name and address. */
  unchanged: number;
  /** Of these, with another password or state than in the file: they keep theirs. */
  differing: number;
  bad: number;
  /** Of the file, up to where it was read. */
  lines: number;
}

/** An account of a line. */
interface Numbered extends StoredAccount {
  readonly line: number;
}

/** Is told of each line that is bad. */
type OnBad = (line: number, why: string) => void;

/**
 * Makes the accounts of a file. Those that are there already stay as they are, so that an import can
 * be repeated, from the beginning, however far it came.
 */
@Injectable()
export class AccountImport {
  constructor(
    private readonly users: UserService,
    private readonly hasher: PasswordHasher,
    @InjectDataSource() private readonly dataSource: DataSource,
    private readonly operator: Operator,
  ) {}

  /**
   * Reads all of a stream, some lines at a time.
   *
   * @param onBad is called for each line that no account could be made of; the others go on
   * @param counts of how far it has come, also if the stream or the database fails
   */
  async run(stream: AsyncIterable<Buffer>, onBad: OnBad, counts: ImportCounts): Promise<void> {
    await recordEvent(this.dataSource.manager, this.operator, 'users_import_begun');
    const bad: OnBad = (line, why) => {
      counts.bad += 1;
      onBad(line, why);
    };
    try {
      let batch: Numbered[] = [];
      for await (const { number: line, bytes } of linesOf(stream, MAX_LINE_BYTES)) {
        const account = this.read(line, bytes, bad);
        if (account !== undefined) batch.push({ ...account, line });
        if (batch.length === BATCH_ROWS) {
          await this.write(batch, bad, counts);
          batch = [];
        }
        counts.lines = line;
      }
      await this.write(batch, bad, counts);
    } finally {
      this.operator.say('users_imported', { counts: { ...counts } });
    }
  }

  private read(line: number, bytes: Buffer | undefined, bad: OnBad): StoredAccount | undefined {
    try {
      return readAccountLine(bytes, this.hasher);
    } catch (error) {
      if (!(error instanceof BadLine)) throw error;
      bad(line, error.message);
      return undefined;
    }
  }

  /** Writes those that are free, and finds out about the others, of which there may then be more. */
  private async write(batch: readonly Numbered[], bad: OnBad, counts: ImportCounts): Promise<void> {
    const free = await this.leaveOutTaken(batch, bad, counts);
    const rest = await this.insert(free, bad, counts);
    const stillFree = await this.leaveOutTaken(rest, bad, counts);
    for (const { line } of stillFree) {
      bad(line, 'somebody had the name or the address at that moment: import it again');
    }
  }

  private async leaveOutTaken(
    accounts: readonly Numbered[],
    bad: OnBad,
    counts: ImportCounts,
  ): Promise<Numbered[]> {
    if (accounts.length === 0) return [];
    const taken = await this.users.findTaken(accounts);
    return accounts.filter((account) => {
      const own = taken.byUsername.get(account.username);
      if (own?.email === account.email) {
        counts.unchanged += 1;
        if (!isSame(own, account)) counts.differing += 1;
        return false;
      }
      const why = obstacle(account, taken);
      if (why !== undefined) bad(account.line, why);
      return why === undefined;
    });
  }

  /**
   * What a rule of others refuses, or another transaction, is tried in halves, down to the line.
   *
   * @returns those that somebody else was faster with
   */
  private async insert(
    accounts: readonly Numbered[],
    bad: OnBad,
    counts: ImportCounts,
  ): Promise<Numbered[]> {
    if (accounts.length === 0) return [];
    try {
      const written = await this.users.insertMany(accounts, (manager, ids) =>
        recordEach(
          manager,
          this.operator,
          'user_created',
          ids.map((account) => ({ account })),
        ),
      );
      counts.created += written.size;
      return accounts.filter((account) => !written.has(account));
    } catch (error) {
      const code = databaseErrorCode(error);
      if (!OF_A_ROW.test(code)) throw error;
      const [only] = accounts;
      if (only !== undefined && accounts.length === 1) {
        bad(only.line, `refused by the database (${code}), by a rule for other data in it`);
        return [];
      }
      const middle = Math.ceil(accounts.length / 2);
      const first = await this.insert(accounts.slice(0, middle), bad, counts);
      const second = await this.insert(accounts.slice(middle), bad, counts);
      return [...first, ...second];
    }
  }
}

/** SQLSTATE of what has to do with the rows: data, rules for it, what a trigger says, a deadlock. */
const OF_A_ROW = /^(22|23|40|44|54|P0)\w{3}$/;

function isSame(one: StoredAccount, other: StoredAccount): boolean {
  return (
    one.password === other.password &&
    Number(one.emailVerifiedAt) === Number(other.emailVerifiedAt) &&
    Number(one.disabledAt) === Number(other.disabledAt)
  );
}

/** Why an account cannot be made, if anything stands in its way. */
function obstacle({ username, email }: StoredAccount, taken: Taken): string | undefined {
  const named = (found: { readonly id: number }): string => `id:${String(found.id)}`;
  const sameName = taken.byUsername.get(username);
  if (sameName !== undefined) {
    return `username is that of ${named(sameName)}, whose address is another: change one of them`;
  }
  const sameAddress = taken.byEmail.get(email);
  if (sameAddress !== undefined) {
    return `email is that of ${named(sameAddress)}, whose username is another: change one of them`;
  }
  const sameFolded = taken.byFolded.get(caseFold(username));
  if (sameFolded !== undefined) {
    return `username is that of ${named(sameFolded)} in another case, width or normal form: change it`;
  }
  if (taken.keptEmails.has(email)) {
    return 'email is kept for an account that has given it up and may take it back: import it again in a week';
  }
  return undefined;
}
