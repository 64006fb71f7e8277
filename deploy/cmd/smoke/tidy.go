package main

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/loongclaw/loongclaw/deploy/internal/client"
)

// tidy takes away what this visit made, and looks whether it is gone. Nothing else is
// touched: names of ours hold the nonce, and a session that the agent named holds it
// in its words.
func tidy(ctx context.Context, v *visit) error {
	found, err := v.found(ctx)
	errs := []error{err}
	for _, id := range found {
		if strings.HasPrefix(id, "v1-") {
			v.sessions = append(v.sessions, id)
		}
	}
	for _, id := range slices.Compact(slices.Sorted(slices.Values(v.sessions))) {
		errs = append(errs, v.gone(ctx, client.SessionPath(id, "")))
	}
	for _, id := range v.notes {
		errs = append(errs, v.gone(ctx, "/api/memory/"+id))
	}
	for _, path := range v.files {
		errs = append(errs, v.gone(ctx, "/api/files/"+path))
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	if found, err = v.found(ctx); err == nil && len(found) > 0 {
		err = unlike("no session of this visit", "%d: delete those that begin with %s", len(found), idPrefix(v.nonce))
	}
	return err
}

// gone deletes something that may be gone already, or may never have been.
func (v *visit) gone(ctx context.Context, path string) error {
	err := v.user.Want(ctx, http.StatusOK, http.MethodDelete, path, nil, nil)
	var other *client.Unwanted
	if errors.As(err, &other) && other.Answer.Status == http.StatusNotFound {
		return nil
	}
	return err
}
