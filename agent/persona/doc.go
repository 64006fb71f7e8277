// Package persona is who the agent is: the system prompt.
//
// Owns: the default persona and the rules that go with it, the reading of
// SOUL.md.
// Touches: the bucket's config/SOUL.md and u/{user}/config/SOUL.md, and the
// file config/SOUL.md of the original, read only.
// Never: keeps a copy. A changed SOUL.md counts from the next run.
package persona
