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

/** Prints what was found, in words, and at the end what to do first. */
export function printDiagnosis({ reached, summary, checks }: Report): void {
  const width = Math.max(...checks.map(({ name }) => name.length)) + 2;
  let last: GroupName | undefined;
  for (const check of checks) {
    if (check.group !== last)
      console.log(`${last === undefined ? '' : '\n'}${TITLES[check.group]}`);
    last = check.group;
    printResult(check, width);
  }
  const count = (number: number, one: string): string =>
    `${String(number)} ${one}${number === 1 ? '' : 's'}`;
  console.log(
    `\n${count(summary.problem, 'problem')}, ${String(summary.advice)} advice, ${String(summary.ok)} ok`,
  );
  const names = [
    ...new Set(checks.filter(({ status }) => status === 'problem').map(({ name }) => name)),
  ];
  if (names.length > 0) console.log(`To be mended: ${names.join(', ')}`);
  if (!reached) console.log('Nothing answered that was asked');
}

function printResult({ name, status, found, todo }: Result, width: number): void {
  const indent = ' '.repeat(2 + MARK_WIDTH + width);
  console.log(
    `  ${MARKS[status].padEnd(MARK_WIDTH)}${name.padEnd(width)}${printable(found, MAX_CHARACTERS)}`,
  );
  if (todo !== '') console.log(`${indent}→ ${printable(todo, MAX_CHARACTERS)}`);
}
