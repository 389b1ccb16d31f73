import { TextInput, type TextInputProps } from '@mantine/core';
import type { JSX } from 'react';
import { useSpeech } from '../i18n/language';
import { Say } from './say';

/** The digits of a code, however they are set apart, and with whatever keyboard they are typed. */
function digitsOf(typed: string): string {
  return typed.normalize('NFKC').replace(/[\s-]/g, '');
}

/** What is sent of a form with a code. */
export function withDigits<Typed extends { token: string }>(typed: Typed): Typed {
  return { ...typed, token: digitsOf(typed.token) };
}

/** Rule of a field for a code. */
export function codeRule(typed: string): JSX.Element | null {
  return /^\d{8}$/.test(digitsOf(typed)) ? null : <Say word="codeShort" />;
}

/** The code that a mail has brought. */
export function CodeField(props: TextInputProps): JSX.Element {
  const { t } = useSpeech();
  return (
    <TextInput
      label={t.code}
      description={t.codeHint}
      inputMode="numeric"
      autoComplete="one-time-code"
      required
      {...props}
    />
  );
}
