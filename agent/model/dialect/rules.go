package dialect

import "regexp"

// Rule is something that a provider demands of a conversation.
type Rule uint32

// The rules. Each is one bit, so that a test can switch it off and see a provider
// refuse.
const (
	Alternate    Rule = 1 << iota // two messages of one side in a row are joined to one
	UserFirst                     // the user speaks first
	UserLast                      // the assistant does not speak last
	Bridge                        // between a tool's result and the user's next message the assistant speaks
	NoBlanks                      // no text is empty or blank
	Results                       // each call has one result right behind it, each result its call
	LegalIDs                      // ids are of the provider's alphabet, and each is there once
	LegalNames                    // names of tools are of the provider's alphabet
	LegalArgs                     // arguments are a JSON object
	Declared                      // tools are declared wherever calls are in sight
	OwnThoughts                   // reasoning and native fields go to nobody but their provider
	ChoiceNone                    // it takes tool_choice none; who does not is asked without, and the turn drops the calls
	NamedResults                  // a result carries the name of its tool
	SystemInUser                  // there is no system role: its text begins the first user message
	everywhere   = UserFirst | UserLast | NoBlanks | Results | LegalIDs | LegalNames | LegalArgs | Declared | OwnThoughts
)

// Content is what stands beside calls for a text that there is not.
type Content int

// The forms of no text. No two of them are taken everywhere.
const (
	ContentEmpty Content = iota // ""
	ContentNull                 // null
	ContentWords                // a few words: neither "" nor null is taken
)

// Need says which messages of the assistant must have reasoning.
type Need int

// What a provider demands of reasoning. What was not kept, or is another
// provider's, is replaced where it is demanded.
const (
	NeedNothing Need = iota // it may be there
	NeedCalls               // where there are calls
	NeedAll                 // in each
)

// Signature is what a provider signs its calls with and refuses to miss.
type Signature int

// The places of a signature.
const (
	SignatureNone       Signature = iota
	SignatureGoogle               // extra_content of a call
	SignatureOpenRouter           // reasoning_details of a message
)

// JSON is how far a provider holds a model to an answer in JSON. Nobody is asked for
// more than is known of them: what is not known is refused, or ignored.
type JSON int

// What may be asked for. What cannot be asked for is only told to the model.
const (
	JSONTold   JSON = iota
	JSONObject      // response_format json_object
	JSONSchema      // that, and json_schema
)

// Choose is how far a provider can be held to calls of tools. What it cannot be held
// to the model is told in words.
type Choose uint8

// What may be asked for.
const (
	ChooseAny    Choose = 1 << iota // tool_choice required
	ChooseOne                       // tool_choice that names a tool
	ChooseSingle                    // parallel_tool_calls
	chooseAll    = ChooseAny | ChooseOne | ChooseSingle
)

// Rules are how one provider wants its requests.
type Rules struct {
	Name string // of the row of the table
	On   Rule

	ID     *regexp.Regexp // the ids that are taken as they are
	OwnIDs bool           // other providers' ids are not taken as they are

	Content   Content
	Reasoning string // the field of the assistant's reasoning; empty: none is taken
	Need      Need
	ThinkTags bool // reasoning stands in the text, in tags
	Native    bool // fields that it added itself are taken back
	Signature Signature

	MaxTokens   string // the field of the limit
	Temperature bool   // it takes one
	StreamUsage bool   // it takes stream_options.include_usage
	JSON        JSON
	Choose      Choose

	Images, ImageBytes int // of one request; 0 is as many as everybody takes
}

// Has reports whether a rule is on.
func (r *Rules) Has(rule Rule) bool { return r.On&rule != 0 }
