import { isUtf8 } from 'node:buffer';
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { ChosenPasswordDto } from '../operator/dto/chosen-password.dto';
import { linesOf } from '../operator/lines';
import { CommandError, EXIT } from './command-line';

/** More than any password has, in bytes. */
const MAX_LINE_BYTES = 64 * 1024;

/**
 * Asks at the terminal, unless the answer was given beforehand.
 *
 * @throws CommandError when nobody is there to answer, or the answer is no
 */
export async function confirm(question: string, answered: boolean): Promise<void> {
  if (answered) return;
  if (!process.stdin.isTTY) {
    throw new CommandError('Nobody is there to confirm it: say --yes. Nothing was changed');
  }
  const [answer = ''] = await ask([`${question} [yes/no] `], { hidden: false });
  if (answer.trim().toLowerCase() !== 'yes') throw new CommandError('Nothing was changed');
}

/**
 * A new password: typed twice at the terminal, which does not show it, or the first line of standard
 * input. Never an argument: those are seen by everyone on the machine.
 *
 * @throws CommandError when there is none
 */
export async function askNewPassword(fromStandardInput: boolean): Promise<ChosenPasswordDto> {
  if (fromStandardInput) {
    const password = await firstLine();
    return { password1: password, password2: password };
  }
  const questions = ['New password: ', 'The same again: '];
  const [password1 = '', password2 = ''] = await askUnseen(questions);
  return { password1, password2 };
}

/**
 * The password of an account that there is, likewise.
 *
 * @throws CommandError when there is none
 */
export async function askPassword(fromStandardInput: boolean): Promise<string> {
  if (fromStandardInput) return firstLine();
  const [password = ''] = await askUnseen(['Password: ']);
  return password;
}

/** @throws CommandError when nobody is there to answer */
async function askUnseen(questions: readonly string[]): Promise<string[]> {
  if (!process.stdin.isTTY) {
    throw new CommandError(
      'Nobody is there to type the password: say --stdin to have it read from standard input. Nothing was changed',
      EXIT.couldNotLook,
    );
  }
  return ask(questions, { hidden: true });
}

/**
 * What is typed in answer to some questions. They are asked on standard error: the output may go
 * elsewhere.
 *
 * @throws CommandError for whoever gives up, by Ctrl-C or Ctrl-D
 */
async function ask(
  questions: readonly string[],
  { hidden }: { hidden: boolean },
): Promise<string[]> {
  let shown = true;
  const output = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      if (shown) process.stderr.write(chunk);
      done();
    },
  });
  const terminal = createInterface({
    input: process.stdin,
    output,
    terminal: true,
    historySize: 0,
  });
  terminal.on('SIGINT', () => {
    terminal.close();
  });
  const lines = terminal[Symbol.asyncIterator]();
  const answers: string[] = [];
  try {
    for (const question of questions) {
      shown = true;
      terminal.setPrompt(question);
      terminal.prompt();
      shown = !hidden;
      const next: IteratorResult<string, undefined> = await lines.next();
      if (hidden || next.done === true) process.stderr.write('\n');
      if (next.done === true) throw new CommandError('Nothing was changed');
      answers.push(next.value);
    }
    return answers;
  } finally {
    // Gives the terminal its echo again.
    terminal.close();
  }
}

/** @throws CommandError when standard input ends before there is a line that is text */
async function firstLine(): Promise<string> {
  const input = process.stdin as AsyncIterable<Buffer>;
  for await (const { bytes } of linesOf(input, MAX_LINE_BYTES)) {
    if (bytes === undefined || !isUtf8(bytes)) break;
    return bytes.toString().replace(/\r$/, '');
  }
  throw new CommandError(
    'The first line of standard input is no password: it is missing, too long, or not UTF-8. Nothing was changed',
    EXIT.couldNotLook,
  );
}
