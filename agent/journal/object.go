package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/loongclaw/loongclaw/agent/bucket"
	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// Hash is the SHA-256 of an object's bytes.
type Hash [sha256.Size]byte

// String gives the hash in hexadecimal.
func (h Hash) String() string { return hex.EncodeToString(h[:]) }

// ParseHash reads what String wrote.
func ParseHash(s string) (h Hash, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(h) {
		return h, fmt.Errorf("journal: %q is no hash", s)
	}
	return Hash(b), nil
}

// header is an object's first line. The records follow, one on each line, so
// that a person can read a journal with cat and grep.
type header struct {
	Version int       `json:"v"`
	Number  uint64    `json:"n"`
	Prev    string    `json:"prev"` // hash of the object before, or of the prefix for the first
	Writer  string    `json:"id"`   // random, so that a writer knows its own object again
	At      chat.Time `json:"at"`
	Records int       `json:"records"`
	Sum     string    `json:"sum"` // SHA-256 of all that follows the header, so that damage names the object it is in

	// Beside is the last object that the writer knew of another journal, so that
	// this one shows when the end of that one is lost. Readers may pass it over.
	Beside *besideHeader `json:"beside,omitempty"`
}

type besideHeader struct {
	Number uint64 `json:"n"`
	Hash   string `json:"hash"`
}

// beside is the tail that a header names; none where it names none that can be read.
func (h header) beside() Tail {
	if h.Beside == nil {
		return Tail{}
	}
	hash, err := ParseHash(h.Beside.Hash)
	if err != nil {
		return Tail{}
	}
	return Tail{Number: h.Beside.Number, Hash: hash}
}

const version = 1

// object is a read and checked object.
type object struct {
	header  header
	records []Record
	hash    Hash
}

// start is what the first object of a journal follows: it ties the journal to
// its place, so that one moved there from elsewhere shows.
func start(prefix string) Hash { return sha256.Sum256([]byte("loongclaw journal\n" + prefix)) }

// key names object n below a prefix.
func key(prefix string, n uint64) string { return fmt.Sprintf("%s%012d", prefix, n) }

// MaxRecords bounds the bytes of the records of one object, as they are encoded:
// what a store takes, and gives back, less the room for the header. It is checked
// before anything is written, so no journal can come to hold what nobody can read.
const MaxRecords = bucket.MaxObject - 4<<10

// Size is how many bytes of an object records take.
func Size(records ...Record) (int, error) {
	lines, err := encodeLines(records)
	return len(lines), err
}

func encodeLines(records []Record) ([]byte, error) {
	var lines bytes.Buffer
	enc := json.NewEncoder(&lines)
	enc.SetEscapeHTML(false)
	for _, r := range records {
		if r.Type == "" {
			return nil, errors.New("journal: a record without a type cannot be written")
		}
		if err := enc.Encode(r); err != nil {
			return nil, fmt.Errorf("journal: record %s: %w", r.Type, err)
		}
	}
	return lines.Bytes(), nil
}

// fits refuses records that no object can hold.
func fits(size int) error {
	if size <= MaxRecords {
		return nil
	}
	return fault.Wrap(bucket.ErrTooLarge, fault.CodeTooLarge,
		fmt.Sprintf("what was to be kept takes %d bytes; at most %d can be kept at once", size, MaxRecords), "nothing was stored; send less at once")
}

func encode(n uint64, prev Hash, writer string, at time.Time, beside Tail, records []Record) ([]byte, error) {
	lines, err := encodeLines(records)
	if err != nil {
		return nil, err
	}
	if err := fits(len(lines)); err != nil {
		return nil, err
	}
	sum := Hash(sha256.Sum256(lines))
	h := header{Version: version, Number: n, Prev: prev.String(), Writer: writer, At: chat.At(at), Records: len(records), Sum: sum.String()}
	if beside.Number > 0 {
		h.Beside = &besideHeader{beside.Number, beside.Hash.String()}
	}
	head, err := json.Marshal(h)
	if err != nil {
		return nil, fmt.Errorf("journal: header: %w", err)
	}
	return append(append(head, '\n'), lines...), nil
}

// decode reads an object and checks all that can be checked from itself.
func decode(body []byte) (object, error) {
	o := object{hash: sha256.Sum256(body)}
	line, rest, ok := bytes.Cut(body, []byte{'\n'})
	if !ok || json.Unmarshal(line, &o.header) != nil {
		return o, fmt.Errorf("it has no readable header")
	}
	if o.header.Version != version {
		return o, fmt.Errorf("it has version %d; this program reads version %d", o.header.Version, version)
	}
	if sum := Hash(sha256.Sum256(rest)); o.header.Sum != sum.String() {
		return o, fmt.Errorf("its contents do not match its checksum")
	}
	for len(rest) > 0 {
		if line, rest, ok = bytes.Cut(rest, []byte{'\n'}); !ok {
			return o, fmt.Errorf("it is cut short")
		}
		var r Record
		if err := json.Unmarshal(line, &r); err != nil || r.Type == "" {
			return o, fmt.Errorf("record %d is not readable", len(o.records)+1)
		}
		o.records = append(o.records, r)
	}
	if len(o.records) != o.header.Records {
		return o, fmt.Errorf("it holds %d records, its header says %d", len(o.records), o.header.Records)
	}
	return o, nil
}

// entry is one of its records in its place.
func (o object) entry(r Record, seq uint64) Entry {
	return Entry{Record: r, Seq: seq, Object: o.header.Number, At: o.header.At, Hash: o.hash, Beside: o.header.beside()}
}

// follows checks that o is object n after prev.
func (o object) follows(n uint64, prev Hash) error {
	if o.header.Number != n {
		return fmt.Errorf("it says that it is number %d", o.header.Number)
	}
	if o.header.Prev != prev.String() {
		return fmt.Errorf("it does not follow the object before it")
	}
	return nil
}
