// Package rollout replaces the agent's image under people who go on talking.
//
// There are two slots, blue and green. One serves; the new image goes into the
// other. A canary, which is a user of the rollout's own, proves it through the gateway
// that everybody uses, then the switch moves, and the figures are watched for a while.
// Whatever is red leaves the switch where it was or takes it back, with a line that
// says why and what was seen:
//
//	fill ─→ canary: old, new, old again ─→ switch ─→ watch ─→ keep
//	  └──────── red: it stays ────────┘      └─ red: back ─┘
//
// The canary goes through both generations since they share one store: what the
// old one wrote the new one must read, and the other way round, or the way back
// would lose something.
//
// # How a platform is to behave
//
// A Platform is where the two slots are. Its methods are called one after the
// other, never at once, and each may be called again after it failed, with the
// same effect as once.
//
//   - State tells what is: which slot serves, what is in each, and which images were
//     kept (Fill makes a slot unkept, Keep makes the one that serves kept). It comes
//     from the platform and not from memory: somebody else may have changed it. It
//     changes nothing.
//   - Fill puts the new image into a slot that does not serve. When it returns, who
//     is sent there meets the new image and nothing older. Who is served by the
//     other slot must notice nothing. An image that does not start is no error of
//     Fill's: the canary finds that.
//   - Discard says that what Fill put into a slot was red. Whatever Fill changed beside
//     the slot goes back to what it was; what is in the slot may stay or go. Nobody
//     is served by it then.
//   - Admit makes the canary meet the agents of one slot, and nobody else: through
//     the same gateway, with the credential that it returns. When it returns, the
//     next request of the canary goes there, and nowhere else until the next Admit:
//     a canary that still met the old slot would prove nothing. It is the same user
//     each time until Dismiss, on the same store as everybody.
//   - Dismiss ends the trial. The canary has deleted its sessions and memories by
//     then, as far as an agent let it. What else can be erased, the platform erases;
//     but nothing under an agent that is awake and knows this user.
//   - Serve moves the switch, in seconds. From then on new work begins in that slot.
//     What runs ends where it began: a user with active work stays with the old
//     slot until it rests (who never does may be made to, by letting requests wait
//     for the runs to end), then moves before the next request is answered, and the
//     agent left behind answers no more for that user, or reads the store anew
//     before it does. No request is refused for it; a stream may be cut, for its
//     client comes again with its cursor. Until Keep or another Serve the platform
//     should go back by itself after a time (Trial) in which nobody said so: whoever
//     watches may die.
//     (An agent tells at /active?user=NAME whether a user's work is active there.)
//   - Keep says that what serves is here to stay.
//   - Figures tells what the gateway saw of a slot's agents since a moment: answers,
//     failures (500, or no answer, or an agent that does not start; 502 to 504 tell
//     of a provider or of a full deployment, and are no generation's fault), and the 95th
//     percentile of the time to an answer's head, of requests that wait for no
//     model and not for an agent to start. The canary is not counted.
//
// The journal's fence (docs/architecture.md, "Who runs what after a crash") keeps a
// user's two agents honest while both are awake. It is what makes this safe; the
// rules above make it unnoticed.
//
// Owns: the order of a rollout, what the canary proves, when figures are red.
// Touches: the deployed address, as any client does; the platform through its
// interface.
// Never: knows what a platform is made of, or prints a credential.
package rollout
