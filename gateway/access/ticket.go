package access

import (
	"crypto/ed25519"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/loongclaw/loongclaw/pkg/signed"
)

const (
	ticketPrefix = "lct_"
	// TicketLifetime is how long a ticket counts.
	TicketLifetime = time.Minute
	// maxTicket bounds what is decoded for a stranger.
	maxTicket = 1 << 10
)

// Ticket is the right to open one WebSocket: what its holder may do there, and
// until when it can be used. Spent it is in one place, under its ID.
type Ticket struct {
	Identity // the expiry is that of the credential it was asked for with
	ID       string
	Issued   time.Time // in milliseconds, as Until
	Until    time.Time
}

// Tickets mints and checks tickets. A ticket is a signed statement, so that only
// spent ones have to be remembered.
type Tickets struct{ key []byte }

// NewTickets derives the signing key from the seed of the pass's key, apart from
// that of the sessions: neither can stand for the other.
func NewTickets(pass ed25519.PrivateKey) (*Tickets, error) {
	key, err := hkdf.Key(sha256.New, pass.Seed(), nil, "loongclaw websocket ticket v1", sha256.Size)
	if err != nil {
		return nil, fmt.Errorf("access: deriving the ticket key: %w", err)
	}
	return &Tickets{key: key}, nil
}

// ticket is the statement. Times are Unix milliseconds: a host that started a
// moment ago must know whether a ticket is older than its memory.
type ticket struct {
	User    string   `json:"u"`
	Scopes  []string `json:"s"`
	Expires int64    `json:"e,omitempty"` // of the credential, Unix seconds
	Via     string   `json:"v,omitempty"`
	ID      string   `json:"i"`
	From    int64    `json:"f"`
	Until   int64    `json:"t"`
}

// Mint makes a ticket for a holder of g. It never outlives the credential.
func (ts *Tickets) Mint(g Identity, now time.Time) (string, Ticket, error) {
	until := now.Add(TicketLifetime)
	if end := time.Unix(g.Expires, 0); g.Expires != 0 && end.Before(until) {
		until = end
	}
	v := ticket{User: g.User, Scopes: g.Scopes, Expires: g.Expires, Via: g.Via, ID: rand.Text(), From: now.UnixMilli(), Until: until.UnixMilli()}
	text, err := signed.Sign(v, ts.mac)
	if err != nil {
		return "", Ticket{}, fmt.Errorf("access: writing a ticket: %w", err)
	}
	return ticketPrefix + text, v.ticket(), nil
}

// Find returns what a ticket gives, before it is spent.
func (ts *Tickets) Find(secret string, now time.Time) (Ticket, bool) {
	rest, ok := strings.CutPrefix(secret, ticketPrefix)
	if !ok {
		return Ticket{}, false
	}
	st, err := signed.Parse(rest, maxTicket)
	if err != nil || !hmac.Equal(st.Signature, ts.mac(st.Text)) {
		return Ticket{}, false
	}
	var v ticket
	if st.Decode(&v) != nil || v.ID == "" {
		return Ticket{}, false
	}
	t := v.ticket()
	return t, now.Before(t.Until)
}

func (v ticket) ticket() Ticket {
	return Ticket{
		Identity: Identity{User: v.User, Scopes: v.Scopes, Expires: v.Expires, Via: v.Via}, ID: v.ID,
		Issued: time.UnixMilli(v.From), Until: time.UnixMilli(v.Until),
	}
}

func (ts *Tickets) mac(text string) []byte {
	h := hmac.New(sha256.New, ts.key)
	h.Write([]byte(text))
	return h.Sum(nil)
}
