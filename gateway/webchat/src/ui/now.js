// The time, for what counts seconds on the page.

import { useEffect, useState } from 'preact/hooks'

/** Draws anew each second until then. @param {number} until milliseconds; 0: not at all */
export function useNow(until) {
  const [, tick] = useState(0)
  const over = until <= Date.now()
  useEffect(() => {
    if (over) return
    const timer = setInterval(() => tick((n) => n + 1), 1000)
    return () => clearInterval(timer)
  }, [until, over])
  return Date.now()
}

/** Whole seconds from now until then, and never less than one while it is to come. @param {number} until */
export const secondsTo = (until) => Math.max(1, Math.ceil((until - Date.now()) / 1000))
