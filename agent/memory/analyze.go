package memory

import (
	"hash/fnv"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/blevesearch/bleve/v2/analysis"
	"github.com/blevesearch/bleve/v2/analysis/lang/cjk"
	"github.com/blevesearch/bleve/v2/analysis/lang/en"
	"github.com/blevesearch/bleve/v2/analysis/token/porter"
	"github.com/blevesearch/bleve/v2/analysis/token/stop"
	"github.com/blevesearch/bleve/v2/analysis/tokenizer/unicode"
)

// A term is a word's hash. Two words in 2³² meeting costs a little order, never
// a hit that is not shown for another reason; the words themselves would cost
// ten times the memory.
type term uint32

// document is what the index keeps of an item: its words with their counts,
// packed into eight bytes each, and its length in words.
type document struct {
	words  []count // sorted by term
	length uint32
}

type count struct {
	term term
	n    uint16
	kind kind
}

// kind says how much a match of a word means.
type kind uint8

const (
	word   kind = iota // a stemmed word, or a pair of neighbouring characters
	single             // one Chinese character: it hints where a pair does not match
)

// A single character carries far less meaning than a pair.
const singleWeight = 0.3

// Characters of questions and of grammar, in whose company a match says nothing.
const emptyCharacters = "的了是在我你您他她它们这那有和与及就都也很不吗呢吧啊呀哦么什怎哪谁几多少个些为会要能到说请问一让给把被对从跟样里么过得着嘛之以可还用户"

// analyzer is the chain of bleve's parts that makes words of a text. They hold
// no state between texts.
type analyzer struct {
	tokenizer analysis.Tokenizer
	filters   []analysis.TokenFilter
	empty     map[rune]bool
}

var theAnalyzer = sync.OnceValue(func() *analyzer {
	stops := analysis.NewTokenMap()
	// The list is part of bleve and always parses; a word of it that were lost
	// would only be searched for.
	_ = stops.LoadBytes(en.EnglishStopWords)
	for _, w := range []string{"i'm", "what's", "when's", "tell", "please", "user", "did", "does", "doing", "can", "how", "when", "where", "who", "why"} {
		stops.AddToken(w)
	}
	a := &analyzer{
		tokenizer: unicode.NewUnicodeTokenizer(),
		filters: []analysis.TokenFilter{
			en.NewPossessiveFilter(), stop.NewStopTokensFilter(stops), cjk.NewCJKBigramFilter(true), porter.NewPorterStemmer(),
		},
		empty: map[rune]bool{},
	}
	for _, r := range emptyCharacters {
		a.empty[r] = true
	}
	return a
})

// words calls use for each word of a text that means something.
func (a *analyzer) words(text string, use func(term, kind)) {
	a.tokens(fold(text), func(word []byte, k kind) { use(hash(word), k) })
}

// tokens calls use for each word of a folded text that means something, as the
// chain has made it. The word is use's only until it returns.
func (a *analyzer) tokens(folded string, use func([]byte, kind)) {
	tokens := a.tokenizer.Tokenize([]byte(folded))
	for _, f := range a.filters {
		tokens = f.Filter(tokens)
	}
	for _, t := range tokens {
		k := word
		if t.Type == analysis.Single {
			k = single
		}
		if !a.isEmpty(t) {
			use(t.Term, k)
		}
	}
}

// isEmpty says that a single character or both of a pair are empty ones.
func (a *analyzer) isEmpty(t *analysis.Token) bool {
	if t.Type != analysis.Single && t.Type != analysis.Double {
		return false
	}
	for b := t.Term; len(b) > 0; {
		r, n := utf8.DecodeRune(b)
		if !a.empty[r] {
			return false
		}
		b = b[n:]
	}
	return true
}

func hash(b []byte) term {
	h := fnv.New32a()
	_, _ = h.Write(b) // a hash.Hash never fails
	return term(h.Sum32())
}

// index makes the document of an item: its content and its tags.
func index(item Item) document {
	counts := map[term]count{}
	var d document
	theAnalyzer().words(item.Content+"\n"+strings.Join(item.Tags, "\n"), func(t term, k kind) {
		c := counts[t]
		if c.n < math.MaxUint16 {
			c.n++
		}
		counts[t] = count{t, c.n, k}
		if k == word {
			d.length++
		}
	})
	d.words = make([]count, 0, len(counts))
	for _, c := range counts {
		d.words = append(d.words, c)
	}
	slices.SortFunc(d.words, func(a, b count) int { return int(int64(a.term) - int64(b.term)) })
	return d
}

// A question of a whole page is searched by its ends, where people say what
// they want.
const maxQuery = 4 << 10

func shorten(text string) string {
	text = strings.ToValidUTF8(text, " ")
	if len(text) <= maxQuery {
		return text
	}
	return strings.ToValidUTF8(text[:maxQuery/2], " ") + "\n" + strings.ToValidUTF8(text[len(text)-maxQuery/2:], " ")
}

// queryTerms are the words of a question, each once.
func queryTerms(text string) map[term]kind {
	q := map[term]kind{}
	theAnalyzer().words(shorten(text), func(t term, k kind) { q[t] = k })
	return q
}
