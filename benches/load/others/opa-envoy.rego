# What `../others.rs` starts OPA-Envoy with, which fills in KRATOS and REMEMBER.
package transfer

import rego.v1

default allow := false

request := input.attributes.request.http

allow if {
	request.host == "app.test"
	glob.match("/transfer/**", ["/"], request.path)
	session := http.send({
		"method": "GET",
		"url": "KRATOS/sessions/whoami",
		"headers": {"cookie": request.headers.cookie},
		"force_cache": REMEMBER,
		"force_cache_duration_seconds": 600,
		"raise_error": false,
	})
	session.status_code == 200
	session.body.active
	session.body.authenticator_assurance_level == "aal2"
	time.parse_rfc3339_ns(session.body.expires_at) > time.now_ns()
}
