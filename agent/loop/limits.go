package loop

// What one answer of a model may be, in bytes. They are far beyond what a
// provider gives, and small enough that an answer, or any one of its steps, can be
// kept in an object that every store gives back. An adapter counts while it reads,
// so that a provider that never ends costs no more memory than this.
const (
	MaxAnswer    = 4 << 20  // of its text
	MaxReasoning = 1 << 20  // of its reasoning
	MaxNative    = 4 << 20  // of what the provider added and wants back
	MaxArguments = 12 << 20 // of the arguments of all its calls: a file of 8 MiB in base64, and some more
	// MaxResult is the longest result of a tool as it is kept. The tools' own bound
	// is lower; this one holds whatever a tool does.
	MaxResult = 1 << 20
)
