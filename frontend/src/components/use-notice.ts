import { notifications } from '@mantine/notifications';
import { useSpeech } from '../i18n/language';

/** Tells that something has been done, for a while. */
export function useNotice(): (message: string) => void {
  const { t } = useSpeech();
  return (message) => {
    notifications.show({ message, closeButtonProps: { 'aria-label': t.close } });
  };
}
