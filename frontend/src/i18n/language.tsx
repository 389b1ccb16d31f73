import {
  createContext,
  type JSX,
  type ReactNode,
  use,
  useCallback,
  useEffect,
  useMemo,
  useState,
} from 'react';
import { setApiLanguage } from '../api/client';
import { catalogues, type Language, type Messages } from './messages';

export interface Speech {
  readonly language: Language;
  readonly setLanguage: (language: Language) => void;
  /** What the page says, in that language. */
  readonly t: Messages;
}

const SpeechContext = createContext<Speech | null>(null);

/** The first language of the browser that the page speaks; English for those who wish for neither. */
export function browserLanguage(wished: readonly string[] = navigator.languages): Language {
  for (const tag of wished) {
    if (/^ko\b/i.test(tag)) return 'ko';
    if (/^en\b/i.test(tag)) return 'en';
  }
  return 'en';
}

/** Where a language that somebody has chosen is kept; the browser's is asked for anew each time. */
const STORED = 'language';

function storedLanguage(): Language | undefined {
  const stored = localStorage.getItem(STORED);
  return stored === 'ko' || stored === 'en' ? stored : undefined;
}

export function LanguageProvider({ children }: { readonly children: ReactNode }): JSX.Element {
  const [chosen, choose] = useState(storedLanguage);
  const language = chosen ?? browserLanguage();
  const setLanguage = useCallback((tag: Language) => {
    localStorage.setItem(STORED, tag);
    choose(tag);
  }, []);
  const t = catalogues[language];
  // Before the first request of this language, not after it has been drawn.
  setApiLanguage(language);
  useEffect(() => {
    document.documentElement.lang = language;
  }, [language]);
  const speech = useMemo(() => ({ language, setLanguage, t }), [language, setLanguage, t]);
  return <SpeechContext value={speech}>{children}</SpeechContext>;
}

/** The language of the page, and its words. */
export function useSpeech(): Speech {
  const speech = use(SpeechContext);
  if (speech === null) throw new Error('Outside LanguageProvider nobody speaks');
  return speech;
}
