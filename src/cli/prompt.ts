import { createInterface, type Interface } from 'node:readline';
import { Writable } from 'node:stream';
import type { ChosenPasswordDto } from '../operator/dto/chosen-password.dto';
import { linesOf } from '../operator/lines';
import { CommandError, EXIT } from './command-line';

/** More than any password has, in bytes. */
const MAX_LINE_BYTES = 64 * 1024;
/** As a shell has it of a command that Ctrl-C has ended. */
const INTERRUPTED = 130;

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
  if (!process.stdin.isTTY) {
    throw new CommandError(
      'Nobody is there to type the password: say --stdin to have it read from standard input. Nothing was changed',
      EXIT.couldNotLook,
    );
  }
  const terminal = createInterface({
    input: process.stdin,
    // What is typed is shown nowhere.
    output: new Writable({
      write: (_chunk, _encoding, done) => {
        done();
      },
    }),
    terminal: true,
    historySize: 0,
  });
  try {
    const password1 = await ask(terminal, 'New password: ');
    const password2 = await ask(terminal, 'The same again: ');
    return { password1, password2 };
  } finally {
    // Gives the terminal its echo again.
    terminal.close();
  }
}

/** @throws CommandError when it ends before there is a line that is text */
async function firstLine(): Promise<string> {
  for await (const { bytes } of linesOf(process.stdin as AsyncIterable<Buffer>, MAX_LINE_BYTES)) {
    try {
      if (bytes !== undefined)
        return new TextDecoder('utf-8', { fatal: true }).decode(bytes).replace(/\r$/, '');
    } catch {
      // Told below.
    }
    break;
  }
  throw new CommandError(
    'The first line of standard input is no password: it has to be UTF-8. Nothing was changed',
    EXIT.couldNotLook,
  );
}

/** @throws CommandError for whoever gives up: Ctrl-C, Ctrl-D */
function ask(terminal: Interface, question: string): Promise<string> {
  process.stderr.write(question);
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      process.stderr.write('\n');
      reject(new CommandError('Nothing was changed', INTERRUPTED));
    };
    terminal.once('SIGINT', giveUp);
    terminal.once('close', giveUp);
    terminal.once('line', (line) => {
      terminal.removeListener('SIGINT', giveUp);
      terminal.removeListener('close', giveUp);
      process.stderr.write('\n');
      resolve(line);
    });
  });
}
