import type { Losses } from '../takeover/alter';
import type { CheckReport } from '../takeover/check';
import type { PlannedStatement } from '../takeover/plan';

const MARKS = { ok: 'ok     ', warning: 'note   ', stop: 'STOP   ' } as const;

/** Prints what was found, in words. */
export function printReport({ ready, findings, migrations }: CheckReport): void {
  for (const { verdict, summary, details } of Object.values(findings)) {
    console.log(`${MARKS[verdict]}${summary}`);
    for (const detail of details) console.log(`         ${detail}`);
  }
  if (migrations.length > 0) console.log('\nWhat run would do:');
  for (const { name, statements } of migrations) {
    console.log(`  ${name}${statements.length === 0 ? ': adopts the table as it is' : ''}`);
    for (const statement of statements) {
      console.log(`    ${statement.sql}`);
      console.log(`      -- ${effectOf(statement)}`);
    }
  }
  if (ready && migrations.length === 0) console.log('\nThe schema is that of this version already');
  console.log(ready ? '\nReady' : '\nNot ready: see what says STOP');
}

/** Prints what would be lost by going back. */
export function printLosses({
  sessions,
  refreshTokens,
  lockedOut,
  disabled,
  verified,
  events,
}: Losses): void {
  console.log('Going back loses:');
  console.log(
    `  ${String(sessions)} logins, and that they can be ended: their tokens open the FastAPI backend until they expire`,
  );
  console.log(`  ${String(refreshTokens)} refresh tokens`);
  console.log(
    `  that ${String(disabled)} accounts are disabled: they can log in to the FastAPI backend`,
  );
  console.log(`  that the addresses of ${String(verified)} accounts are confirmed`);
  console.log(`  the audit trail, ${String(events)} events: export it first if it is to be kept`);
  console.log(
    `  the passwords of ${String(lockedOut)} accounts, whose hashes the FastAPI backend cannot verify${lockedOut > 0 ? ': they cannot log in there' : ''}`,
  );
}

function effectOf({ lock, holdsUp, seconds }: PlannedStatement): string {
  if (lock === null) return 'locks nothing that is there; an instant';
  const waits = {
    nobody: 'nobody waits',
    writers: 'whoever writes waits',
    everyone: 'everyone waits',
  }[holdsUp];
  const time = seconds < 0.5 ? 'an instant' : `roughly ${String(Math.ceil(seconds))} s`;
  return `${lock} on "user": ${waits}; ${time}`;
}
