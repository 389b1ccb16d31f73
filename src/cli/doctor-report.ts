import type { GroupName, Result } from '../doctor/check';
import type { Report } from '../doctor/doctor';
import { printable } from '../operator/printable';

const TITLES: Readonly<Record<GroupName, string>> = {
  outside: 'From outside',
  settings: 'Settings',
  database: 'Database',
  machine: 'Around it',
};
const MARKS = { ok: 'ok', advice: 'advice', problem: 'PROBLEM' } as const;
const MARK_WIDTH = 9;
/** A sentence may name several tables, or say a statement. */
const MAX_CHARACTERS = 600;

/** Prints what was found, a line each, and what to do: last what is a problem, where it is seen first. */
export function printDiagnosis({ reached, summary, checks }: Report): void {
  const width = Math.max(...checks.map(({ name }) => name.length)) + 2;
  let last: GroupName | undefined;
  for (const check of checks) {
    if (check.group !== last)
      console.log(`${last === undefined ? '' : '\n'}${TITLES[check.group]}`);
    last = check.group;
    printResult(check, width);
  }
  const problems = checks.filter(({ status }) => status === 'problem');
  if (problems.length > 0) console.log('\nTo be mended');
  for (const { name, todo } of problems) {
    console.log(`  ${name.padEnd(width)}→ ${printable(todo, MAX_CHARACTERS)}`);
  }
  const noun = summary.problem === 1 ? 'problem' : 'problems';
  console.log(
    `\n${String(summary.problem)} ${noun}, ${String(summary.advice)} advice, ${String(summary.ok)} ok`,
  );
  if (!reached) console.log('Nothing answered that was asked');
}

function printResult({ name, status, found, todo }: Result, width: number): void {
  console.log(
    `  ${MARKS[status].padEnd(MARK_WIDTH)}${name.padEnd(width)}${printable(found, MAX_CHARACTERS)}`,
  );
  if (status !== 'advice') return;
  console.log(`${' '.repeat(2 + MARK_WIDTH + width)}→ ${printable(todo, MAX_CHARACTERS)}`);
}
