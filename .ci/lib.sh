# Shared by install and install-new-peers; sourced, not run.
# shellcheck shell=bash

say() { printf '.ci: %s\n' "$*" >&2; }

need_root() {
  if [[ $(id -u) != 0 ]]; then
    say "run this as root"
    exit 1
  fi
}

trixie_root() { echo "${BGP_REFLECTOR_CI_ROOT:-/var/cache/bgp-reflector-ci/trixie}"; }

# Mirrors hiccup: up to five attempts, a little further apart each time.
retry() {
  local attempt
  for attempt in 1 2 3 4 5; do
    if "$@"; then return 0; fi
    say "attempt $attempt failed: $*"
    sleep $((attempt * 3))
  done
  return 1
}

# The address of the Debian mirror this machine already uses, asked of apt itself, so that both
# styles of sources file and whatever mirror is configured work.
debian_mirror() {
  local mirror format
  # shellcheck disable=SC2016 # apt expands these, not the shell
  format='$(CREATED_BY)|$(LABEL)|$(COMPONENT)|$(CODENAME)|$(REPO_URI)'
  mirror=$(apt-get indextargets --format "$format" | awk -F'|' \
    '!found && $1 == "Packages" && $2 == "Debian" && $3 == "main" && $4 !~ /-/ { print $5; found = 1 }')
  if [[ -z $mirror ]]; then
    say "no Debian mirror in this machine's apt sources"
    return 1
  fi
  echo "$mirror"
}

# Runs a command while no package of ROOT ("" is this machine) may start a service.
without_services() {
  local root=$1 policy=$1/usr/sbin/policy-rc.d status=0
  shift
  if [[ -e $policy && ! -e $policy.before-ci ]]; then mv "$policy" "$policy.before-ci"; fi
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  "$@" || status=$?
  rm -f "$policy"
  if [[ -e $policy.before-ci ]]; then mv "$policy.before-ci" "$policy"; fi
  return "$status"
}

# DPkg::Lock::Timeout: another apt may be at work; wait for it instead of failing.
apt_install() {
  local root=$1
  shift
  local run=(env DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true)
  if [[ -n $root ]]; then run=(chroot "$root" "${run[@]}"); fi
  retry "${run[@]}" apt-get -qq -o DPkg::Lock::Timeout=300 update
  retry "${run[@]}" apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
    --no-install-recommends install "$@"
}

is_installed() {
  local state
  # shellcheck disable=SC2016 # dpkg-query expands it
  state=$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) && [[ $state == installed ]]
}

install_missing() {
  local package missing=()
  for package in "$@"; do
    if ! is_installed "$package"; then missing+=("$package"); fi
  done
  if ((${#missing[@]} == 0)); then return 0; fi
  say "installing ${missing[*]}"
  without_services "" apt_install "" "${missing[@]}"
}

# What Debian's own -slim images leave out, so that sizes measured on our base mean something.
slim_down() {
  local root=$1
  cat >"$root/etc/dpkg/dpkg.cfg.d/slim" <<'SLIM'
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/info/*
path-exclude /usr/share/locale/*
path-exclude /usr/share/man/*
SLIM
  find "$root/usr/share/doc" -type f ! -name copyright -delete
  rm -rf "$root"/usr/share/{info,locale,man}/* "$root"/var/cache/apt/*.bin \
    "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/var/log/*.log
}

# Gives ROOT this machine's way to the outside: CA certificates, and what its apt was told about
# dates, proxies and retries.
adopt_host() {
  local root=$1
  mkdir -p "$root/etc/ssl/certs"
  if [[ -e /etc/ssl/certs/ca-certificates.crt ]]; then
    cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
  fi
  if compgen -G '/usr/local/share/ca-certificates/*.crt' >/dev/null; then
    mkdir -p "$root/usr/local/share/ca-certificates"
    cp -L /usr/local/share/ca-certificates/*.crt "$root/usr/local/share/ca-certificates/"
  fi
  apt-config dump | grep -E '^Acquire::(Check-Valid-Until|Check-Date|Retries|https?::Proxy) ' \
    >"$root/etc/apt/apt.conf.d/80from-the-host" || true
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
}
