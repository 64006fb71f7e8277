package mcp

import (
	"errors"
	"fmt"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"github.com/loongclaw/loongclaw/pkg/fault"
	"github.com/loongclaw/loongclaw/pkg/plain"
)

// errSlow is the end of a request whose time was over.
var errSlow = errors.New("it did not answer in time")

// reached is why a request over HTTP came to nothing, in words of ours.
type reached struct {
	what      string
	authorize bool // the user can mend it by authorizing the agent anew
}

func (r *reached) Error() string { return r.what }

// forUser is why a server cannot be had as its user reads it, and whether they can
// mend it by an authorization.
func forUser(server string, err error) (text string, authorize bool) {
	var r *reached
	if errors.As(err, &r) && r.authorize {
		return r.what + "; open GET /api/mcp/" + server + "/authorize in a browser", true
	}
	return err.Error(), false
}

// maxSaid bounds what is repeated of a server's own words.
const maxSaid = 300

// protocolError is an error of the protocol, of which a server writes the text.
func protocolError(err error) error {
	var wire *jsonrpc.Error
	if errors.As(err, &wire) {
		return fmt.Errorf("it answered with error %d: %s", wire.Code, plain.Line(clip(wire.Message, maxSaid)))
	}
	return errors.New("it does not speak the protocol, or the connection broke off")
}

// clip bounds a text, and shows that it did.
func clip(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return plain.Cut(s, most) + "…"
}

// saying is an error as people read it: what is wrong, and what to do.
func saying(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return f.Message + "; " + f.Hint
	}
	return err.Error()
}

// storeFault is an error of the store as what a client is told of it.
func storeFault(err error) error {
	var f *fault.Error
	if err == nil || errors.As(err, &f) {
		return err
	}
	return fault.Wrap(err, fault.CodeStoreFailed, "the MCP servers could not be read or written in the store", "try again")
}
