import { applyDecorators } from '@nestjs/common';
import { MaxCodePoints, NotBlank, RequiredText, textRule } from '../validation/rules';
import { mixesScripts } from './script-mixing';
import { imitatesAscii } from './skeleton';

export const MAX_USERNAME_LENGTH = 150;

/** Control, format (invisible), unassigned characters, and surrogates that are half a pair. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cn}\p{Cs}]/u;

/**
 * A name that somebody chooses. It is kept as it was typed, and logged in with so; that it is not
 * somebody else's in another case is for the database to say: see `caseFold`.
 */
export function Username(): PropertyDecorator {
  return applyDecorators(
    RequiredText(),
    NotBlank(),
    textRule('printable', (value) => !UNPRINTABLE.test(value)),
    MaxCodePoints(MAX_USERNAME_LENGTH),
    textRule('oneScript', (value) => !mixesScripts(value)),
    textRule('noLookalike', (value) => !imitatesAscii(value)),
  );
}
