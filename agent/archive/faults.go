package archive

import (
	"errors"
	"fmt"
	"strings"

	"github.com/loongclaw/loongclaw/pkg/fault"
)

// ErrMoved is the error of an export whose user lost journal objects while it
// ran: a session was deleted. What was written so far is no archive; begin anew.
var ErrMoved = fault.New(fault.CodeConflict, "a session was deleted while it was exported", "export again")

// ErrNoArchive is the error of opening a tar that holds nothing of an archive.
var ErrNoArchive = fault.New(fault.CodeInvalidRequest, "the file is no archive of this program", "give a tar that `agent export` made, or the original's memory folder or a tar of it")

func storeFailed(err error) error {
	var f *fault.Error
	if errors.As(err, &f) {
		return err
	}
	return fault.Wrap(err, fault.CodeStoreFailed, "the store did not answer", "run it again; what it wrote stays and is found again")
}

func broken(format string, args ...any) error {
	return fault.New(fault.CodeInvalidRequest, "the archive is damaged: "+fmt.Sprintf(format, args...), "fetch it again, or use another one; nothing was written")
}

func tooLarge(format string, args ...any) error {
	return fault.New(fault.CodeTooLarge, fmt.Sprintf(format, args...), "nothing was written")
}

// quote shows a name from outside: short, and without control characters.
func quote(name string) string {
	if len(name) > 120 {
		name = strings.ToValidUTF8(name[:120], "") + "…"
	}
	return fmt.Sprintf("%q", name)
}

// some names at most 10 things, and how many there are beside them.
func some(names []string) string {
	if len(names) <= 10 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:10], ", "), len(names)-10)
}
