import { applyDecorators, Injectable } from '@nestjs/common';
import { dictionary } from '@zxcvbn-ts/language-common';
import { Validate, ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import { Settings } from '../config/settings';
import type { FieldMessageName } from '../errors/messages';
import { BCRYPT_MAX_BYTES } from './hash-format';
import { codePoints, NotBlank, RequiredText, rule, Storable, textRule } from '../validation/rules';

/** Longest password anywhere, in code points after NFC: what is hashed is bounded. */
export const MAX_PASSWORD_LENGTH = 1024;

/** Lower-case, most used first. */
const COMMON_PASSWORDS: ReadonlySet<unknown> = new Set(dictionary['passwords-common']);

const MIN_LENGTH = 'minLength' satisfies FieldMessageName;
const MAX_BYTES = 'maxBytes' satisfies FieldMessageName;
const UNCOMMON = 'uncommonPassword' satisfies FieldMessageName;

/** At least `PASSWORD_MIN_LENGTH` code points. */
@Injectable()
@ValidatorConstraint({ name: MIN_LENGTH })
export class PasswordMinLength implements ValidatorConstraintInterface {
  constructor(private readonly settings: Settings) {}

  validate(value: unknown): boolean {
    return typeof value === 'string' && lengthOf(value) >= this.settings.PASSWORD_MIN_LENGTH;
  }

  defaultMessage(): string {
    return String(this.settings.PASSWORD_MIN_LENGTH);
  }
}

/** None of the common ones, in whatever case, unless `PASSWORD_BLOCKLIST` is off. */
@Injectable()
@ValidatorConstraint({ name: UNCOMMON })
export class UncommonPassword implements ValidatorConstraintInterface {
  constructor(private readonly settings: Settings) {}

  validate(value: unknown): boolean {
    if (!this.settings.PASSWORD_BLOCKLIST || typeof value !== 'string') return true;
    return !COMMON_PASSWORDS.has(value.normalize('NFC').toLowerCase());
  }

  defaultMessage(): string {
    return '';
  }
}

/** No longer than what bcrypt looks at, if the FastAPI backend is to verify it. */
@Injectable()
@ValidatorConstraint({ name: MAX_BYTES })
export class PasswordMaxBytes implements ValidatorConstraintInterface {
  constructor(private readonly settings: Settings) {}

  validate(value: unknown): boolean {
    if (!this.settings.COEXIST_WITH_FASTAPI || typeof value !== 'string') return true;
    return Buffer.byteLength(value) <= BCRYPT_MAX_BYTES;
  }

  defaultMessage(): string {
    return String(BCRYPT_MAX_BYTES);
  }
}

/** A password as one is given everywhere: to log in, to confirm, or to become the new one. */
export function Password(): PropertyDecorator {
  return applyDecorators(RequiredText(), WithinLimits());
}

/** A password that somebody chooses. */
export function NewPassword(): PropertyDecorator {
  return applyDecorators(
    RequiredText(),
    NotBlank(),
    WithinLimits(),
    Validate(PasswordMaxBytes),
    Validate(PasswordMinLength),
    Validate(UncommonPassword),
  );
}

/**
 * The same password again, under whatever normal form. Nothing is said about it while the first is
 * wrong itself, as in the reference: see `RequestValidationPipe`.
 *
 * @param first name of the field with the first
 */
export function SamePassword(first: string): PropertyDecorator {
  const same = (value: unknown, body: object): boolean => {
    const other: unknown = Reflect.get(body, first);
    return (
      isOfBoundedLength(value) &&
      isOfBoundedLength(other) &&
      value.normalize('NFC') === other.normalize('NFC')
    );
  };
  return applyDecorators(RequiredText(), NotBlank(), rule('passwordsMatch', same, first));
}

function WithinLimits(): PropertyDecorator {
  return applyDecorators(
    Storable(),
    textRule('maxLength', (value) => lengthOf(value) <= MAX_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH),
  );
}

/** In code points after NFC; no fewer than too many for what is not even worth normalising. */
function lengthOf(password: string): number {
  return isOfBoundedLength(password) ? codePoints(password.normalize('NFC')) : Infinity;
}

/**
 * Normalising takes time that grows with the square of a run of combining marks. Four code points at
 * most become one, of two units each, so anything longer is too long in NFC as well.
 */
function isOfBoundedLength(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 2 * 4 * MAX_PASSWORD_LENGTH;
}
