// jump_fcontext, such that the CPU predicts the returns after it.
//
// A CPU predicts returns by a stack of its own, of the calls under way. On x86-64 jump_fcontext ends with an indirect
// jump, so the entry of its own call stays there, and each return after a switch is predicted to go where the next one
// goes: one miss for every frame. weft_jump leaves that stack as it was. Then the returns of a fiber that left in the
// same function as its predecessor are predicted right.
#pragma once

#include <boost/context/detail/fcontext.hpp>

extern "C" boost::context::detail::transfer_t weft_jump(boost::context::detail::fcontext_t to, void* data);
