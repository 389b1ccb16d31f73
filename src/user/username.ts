import { applyDecorators } from '@nestjs/common';
import { MaxCodePoints, NotBlank, RequiredText, textRule } from '../validation/rules';

export const MAX_USERNAME_LENGTH = 150;

/** Control, format (invisible), unassigned characters, and surrogates that are half a pair. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cn}\p{Cs}]/u;

/** A name that somebody chooses. It is kept as it was typed, and compared so. */
export function Username(): PropertyDecorator {
  return applyDecorators(
    RequiredText(),
    NotBlank(),
    textRule('printable', (value) => !UNPRINTABLE.test(value)),
    MaxCodePoints(MAX_USERNAME_LENGTH),
  );
}
