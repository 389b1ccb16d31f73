import { applyDecorators } from '@nestjs/common';
import { MaxCodePoints, NotBlank, RequiredText, textRule } from '../validation/rules';
import { mixesScripts } from './script-mixing';
import { imitatesAscii } from './skeleton';

export const MAX_USERNAME_LENGTH = 150;

/** What programs are told about it. */
export const USERNAME_DESCRIPTION =
  'Nobody else has it in another case, width or normal form (RFC 8265 §3.3). Its letters are of one script, or Latin beside Korean, Japanese or Chinese, and do not imitate ASCII (UTS 39). It is logged in with exactly as it is here.';

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
