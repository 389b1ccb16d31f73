import { TextInput, type TextInputProps } from '@mantine/core';
import type { JSX } from 'react';
import { useSpeech } from '../i18n/language';

/** A username, which no keyboard corrects. */
export function UsernameField(props: TextInputProps): JSX.Element {
  const { t } = useSpeech();
  return (
    <TextInput
      label={t.username}
      autoComplete="username"
      autoCapitalize="none"
      autoCorrect="off"
      spellCheck={false}
      required
      {...props}
    />
  );
}

/** In a form that asks for a password only: whose it is, for password managers. */
export function UsernameForManagers({ username }: { readonly username: string }): JSX.Element {
  return (
    <input type="text" name="username" autoComplete="username" value={username} readOnly hidden />
  );
}
