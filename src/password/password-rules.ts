import { applyDecorators, Injectable } from '@nestjs/common';
import { dictionary } from '@zxcvbn-ts/language-common';
import { Validate, ValidatorConstraint, type ValidatorConstraintInterface } from 'class-validator';
import { Settings } from '../config/settings';
import type { FieldMessageName } from '../errors/messages';
import {
  codePoints,
  NotBlank,
  RequiredText,
  SameAs,
  Storable,
  textRule,
} from '../validation/rules';

/** Longest password anywhere, in code points after NFC: what is hashed is bounded. */
export const MAX_PASSWORD_LENGTH = 1024;

/** Lower-case, most used first. */
const COMMON_PASSWORDS: ReadonlySet<unknown> = new Set(dictionary['passwords-common']);

const MIN_LENGTH = 'minLength' satisfies FieldMessageName;
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
    Validate(PasswordMinLength),
    Validate(UncommonPassword),
  );
}

/**
 * The same password again, under whatever normal form.
 *
 * @param first name of the field with the first
 */
export function SamePassword(first: string): PropertyDecorator {
  return applyDecorators(RequiredText(), NotBlank(), SameAs('passwordsMatch', first));
}

function WithinLimits(): PropertyDecorator {
  return applyDecorators(
    Storable(),
    textRule('maxLength', (value) => lengthOf(value) <= MAX_PASSWORD_LENGTH, MAX_PASSWORD_LENGTH),
  );
}

function lengthOf(password: string): number {
  return codePoints(password.normalize('NFC'));
}
