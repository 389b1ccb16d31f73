import { Button, type ButtonProps, type ElementProps, Loader, VisuallyHidden } from '@mantine/core';
import type { JSX } from 'react';
import { useSpeech } from '../i18n/language';

/**
 * A button that sends something to the service, and says so while it does. It is not disabled
 * meanwhile, as Mantine's `loading` would: that takes the focus from it, and gives it to nobody.
 */
export function ActionButton({
  working,
  leftSection,
  children,
  onClick,
  'aria-label': label,
  ...props
}: ButtonProps &
  ElementProps<'button', keyof ButtonProps> & { readonly working: boolean }): JSX.Element {
  const { t } = useSpeech();
  return (
    <>
      <Button
        {...props}
        aria-label={working ? undefined : label}
        aria-busy={working}
        aria-disabled={working}
        leftSection={
          working ? <Loader size="1.2em" color="currentColor" aria-hidden /> : leftSection
        }
        onClick={(event) => {
          // Also what Enter in a field of its form does.
          if (working) event.preventDefault();
          else onClick?.(event);
        }}
      >
        {working ? t.working : children}
      </Button>
      {/* Few screen readers say what a button is called by now. */}
      <VisuallyHidden role="status">{working && t.working}</VisuallyHidden>
    </>
  );
}
