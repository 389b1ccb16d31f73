import { applyDecorators } from '@nestjs/common';
import { IsOptional, ValidateBy } from 'class-validator';
import type { FieldMessageName } from '../errors/messages';

/**
 * A rule for a field of a request, as a decorator.
 *
 * @param name of what is said when it fails
 * @param holds whether the value is good, given the body that it stands in
 * @param parameter the rule's own value, for the words
 */
export function rule(
  name: FieldMessageName,
  holds: (value: unknown, body: object) => boolean,
  parameter: number | string = '',
): PropertyDecorator {
  return ValidateBy({
    name,
    validator: {
      validate: (value, args) => holds(value, args?.object ?? {}),
      defaultMessage: () => String(parameter),
    },
  });
}

/** Most rules are about text, and hold for what an earlier rule has refused already. */
export function textRule(
  name: FieldMessageName,
  holds: (value: string) => boolean,
  parameter?: number | string,
): PropertyDecorator {
  return rule(name, (value) => typeof value === 'string' && holds(value), parameter);
}

/** The field is there, and is one text: no number is taken for one. */
export function RequiredText(): PropertyDecorator {
  return applyDecorators(
    rule('required', (value) => value !== undefined),
    rule('notNull', (value) => value !== null),
    rule('text', (value) => typeof value === 'string'),
  );
}

/** A text, if it is there. */
export function OptionalText(): PropertyDecorator {
  return applyDecorators(IsOptional(), RequiredText());
}

/** What Python's `str.strip()` strips, which decides in the reference. */
// eslint-disable-next-line no-control-regex -- Python counts four of them as white space
const BLANK = /^[\p{White_Space}\u001c-\u001f]*$/u;

/** Whether a text is nothing but white space. */
export function isBlank(text: string): boolean {
  return BLANK.test(text);
}

/** The field is more than white space. */
export function NotBlank(): PropertyDecorator {
  return textRule('notBlank', (value) => !isBlank(value));
}

/** PostgreSQL cannot store NUL, and UTF-8 has no lone surrogates. */
export function isStorable(text: string): boolean {
  return !text.includes('\0') && text.isWellFormed();
}

/** The field can be stored, and looked for; see `isStorable`. */
export function Storable(): PropertyDecorator {
  return textRule('storable', isStorable);
}

/** Length in code points, which is what people count as characters. */
export function codePoints(text: string): number {
  return Array.from(text).length;
}

/** The field has no more code points than this. */
export function MaxCodePoints(limit: number): PropertyDecorator {
  return textRule('maxLength', (value) => codePoints(value) <= limit, limit);
}
