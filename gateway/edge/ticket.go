package edge

import (
	"net/http"
	"net/url"

	"github.com/labstack/echo/v4"

	"github.com/loongclaw/loongclaw/pkg/chat"
	"github.com/loongclaw/loongclaw/pkg/fault"
)

// giveTicket gives whoever has a credential a ticket that opens one socket, so
// that no long-lived token has to stand in an address.
func (c *Core) giveTicket(e echo.Context) error {
	if !c.cfg.Spends {
		return fault.New(fault.CodeNotFound, "this gateway gives no WebSocket tickets: it cannot remember which are used", hintNoTickets)
	}
	x := of(e)
	text, t, err := c.tickets.Mint(x.id, c.cfg.Now())
	if err != nil {
		return err
	}
	return x.respond(http.StatusOK, struct {
		Ticket    string    `json:"ticket"`
		ExpiresAt chat.Time `json:"expiresAt"`
	}{text, chat.At(t.Until)})
}

const hintNoTickets = "open /ws with the subprotocols loongclaw and bearer.TOKEN, or with Authorization: Bearer TOKEN"

// ticketOf is the ticket in an address.
func ticketOf(query string) string {
	if query == "" {
		return ""
	}
	// What cannot be read is dropped, and so is no ticket.
	v, _ := url.ParseQuery(query)
	return v.Get("ticket")
}

// redeemTicket lets the holder of a ticket in, once. A user that is known by
// then must be the ticket's. It is spent last, so that a refusal spends nothing.
func (x *exchange) redeemTicket(text, user string) error {
	if !x.core.cfg.Spends {
		return x.wrongCredential(fault.New(fault.CodeUnauthorized, "WebSocket tickets do not count here: this gateway cannot remember which are used", hintNoTickets))
	}
	x.id = Identity{}
	t, ok := x.core.tickets.Find(text, x.core.cfg.Now())
	if !ok || (user != "" && t.User != user) {
		return x.wrongCredential(errTicket)
	}
	q := SpendQuestion{Key: "ticket:" + t.ID, User: t.User, From: t.Issued.UnixMilli(), Until: t.Until.UnixMilli()}
	if err := x.spend(q, errTicket); err != nil {
		return err
	}
	x.id = t.Identity
	return nil
}

var errTicket = fault.New(fault.CodeUnauthorized, "the ticket is not known, has expired or was used before", "ask for a new one with POST /api/tickets; it counts once, for 60 s")
