import type { AccountReport, FoundAccount } from '../operator/account-lookup.service';
import type { ImportCounts } from '../operator/account-import.service';
import { printable } from '../operator/printable';

/** An account as programs are told of it. */
export function accountJson({ id, username, email, emailVerifiedAt, disabledAt }: FoundAccount): {
  id: number;
  username: string;
  email: string;
  email_verified_at: Date | null;
  disabled_at: Date | null;
} {
  return {
    id,
    username,
    email,
    email_verified_at: emailVerifiedAt,
    disabled_at: disabledAt,
  };
}

/** An account by all of its names, on one line. */
export function accountName({ id, username, email }: FoundAccount): string {
  return `id:${String(id)} ${printable(username)} <${printable(email)}>`;
}

/** An account on one line. */
export function accountLine(account: FoundAccount): string {
  const { emailVerifiedAt, disabledAt } = account;
  return [
    accountName(account),
    ...(emailVerifiedAt === null ? ['not verified'] : []),
    ...(disabledAt === null ? [] : [`disabled since ${timeText(disabledAt)}`]),
  ].join(', ');
}

/** Everything about an account, as programs are told. */
export function reportJson(report: AccountReport): object {
  const { account, hash, logins, loginCount, guesses, unsentMails } = report;
  return {
    ...accountJson(account),
    hash: hash === undefined ? null : { scheme: hash.scheme, settings: hash.settings },
    login_count: loginCount,
    logins: logins.map(({ createdAt, lastUsedAt, ip, userAgent }) => ({
      created_at: createdAt,
      last_used_at: lastUsedAt,
      ip,
      user_agent: userAgent,
    })),
    wrong_passwords: guesses.failures,
    locked_out: guesses.lockedOut,
    unsent_mails: unsentMails.map(({ kind, createdAt, attempts, failure, nextAttemptAt }) => ({
      kind,
      created_at: createdAt,
      attempts,
      failure,
      next_attempt_at: nextAttemptAt,
    })),
  };
}

const LOCKED_OUT = {
  nobody: 'nobody is locked out',
  strangers: 'strangers are locked out; unlock lets them in',
  everyone: 'everyone is locked out; unlock lets them in',
} as const;

/** Prints everything about an account, in words. */
export function printAccount(report: AccountReport): void {
  const { account, hash, logins, loginCount, guesses, unsentMails } = report;
  const { emailVerifiedAt, disabledAt } = account;
  console.log(accountName(account));
  console.log(
    `  address    ${emailVerifiedAt === null ? 'not verified' : `verified ${timeText(emailVerifiedAt)}`}`,
  );
  console.log(
    `  disabled   ${disabledAt === null ? 'no' : `since ${timeText(disabledAt)}: nobody logs in`}`,
  );
  console.log(
    `  password   ${hash === undefined ? 'none that can be verified' : `${hash.scheme}, ${hash.settings}…`}`,
  );
  console.log(
    `  guessed    ${String(guesses.failures)} wrong passwords in a row, ${LOCKED_OUT[guesses.lockedOut]}`,
  );
  console.log(`  logins     ${String(loginCount)}`);
  for (const { createdAt, lastUsedAt, ip, userAgent } of logins) {
    console.log(
      `    since ${timeText(createdAt)}, last used ${timeText(lastUsedAt)}, from ${printable(ip ?? 'nowhere known')}${userAgent === null ? '' : `, ${printable(userAgent, 80)}`}`,
    );
  }
  if (logins.length < loginCount) console.log('    …');
  console.log(
    `  mails      ${unsentMails.length === 0 ? 'none waits, none has failed' : `${String(unsentMails.length)} not sent`}`,
  );
  for (const { kind, createdAt, attempts, failure, nextAttemptAt } of unsentMails) {
    const state =
      nextAttemptAt === null ? 'given up' : `waits, next attempt ${timeText(nextAttemptAt)}`;
    const why = failure === null ? '' : `: ${printable(failure)}`;
    console.log(
      `    ${kind} of ${timeText(createdAt)}, ${String(attempts)} attempts, ${state}${why}`,
    );
  }
}

/** What became of an import, in words. */
export function importSummary({ lines, created, unchanged, differing, bad }: ImportCounts): string {
  const kept =
    differing === 0
      ? ''
      : ` (${String(differing)} with another password or state than in the file: they keep theirs)`;
  return `${String(lines)} lines: ${String(created)} accounts made, ${String(unchanged)} were there already${kept}, ${String(bad)} bad`;
}

/** Somebody may have written a time that JavaScript does not know, such as infinity. */
function timeText(time: Date | number): string {
  return time instanceof Date && !Number.isNaN(time.getTime()) ? time.toISOString() : String(time);
}
