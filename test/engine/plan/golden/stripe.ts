// What rules/stripe.yaml makes of each sample: a line for the verdict, then one for each step or problem.
// A batch has the lines of its events behind each other. Data only.

export const STRIPE: Readonly<Record<string, readonly string[]>> = {
  'customer.subscription.updated-quantity': ['unmatched, reject'],
  'charge.dispute.closed': ['unmatched, reject'],
  'charge.dispute.closed-lost': ['unmatched, reject'],
  'charge.dispute.created': ['unmatched, reject'],
  'charge.dispute.created-inquiry': ['unmatched, reject'],
  'charge.refunded-partial': ['unmatched, reject'],
  'charge.refunded-subscription': ['unmatched, reject'],
  'invoice_payment.paid': ['unmatched, reject'],
  'charge.refunded': ['unmatched, reject'],
  'checkout.session.async_payment_failed': [
    'ignored checkout-payment-failed: The payment failed, so there is no license.',
  ],
  'checkout.session.async_payment_succeeded': [
    'matched checkout-paid',
    'user.insert as user: email=j.mueller@example.net firstName=Jürgen Müller',
    'license.create: productId=product-of-the-environment userId=$user.id metadata.stripe_subscription_id=cs_test_a1qvMcWOxk81iIfV1YQ6iGuFA7Ez6QkQbpvAMZIgyRWpOFxqWiEvWwxVdZ | once cs_test_a1qvMcWOxk81iIfV1YQ6iGuFA7Ez6QkQbpvAMZIgyRWpOFxqWiEvWwxVdZ #1',
  ],
  'checkout.session.completed-billing-link': [
    'matched checkout-paid',
    'user.insert as user: email=tomas.lindqvist@example.com firstName=Tomas Lindqvist',
    'license.create: productId=product-of-the-environment userId=$user.id metadata.stripe_subscription_id=sub_18HlrwN0rTh7LghtYMfvea9l | once sub_18HlrwN0rTh7LghtYMfvea9l #1',
  ],
  'checkout.session.completed-no-name': [
    'matched checkout-paid',
    'user.insert as user: email=build+ci@example.net firstName=Stripe Checkout cs_test_a1gucRw2LXz3LlvfWZWz8D1GXhexFx38hxymYz3oTh6xuF8OAGAYJqhfos',
    'license.create: productId=product-of-the-environment userId=$user.id metadata.stripe_subscription_id=cs_test_a1gucRw2LXz3LlvfWZWz8D1GXhexFx38hxymYz3oTh6xuF8OAGAYJqhfos | once cs_test_a1gucRw2LXz3LlvfWZWz8D1GXhexFx38hxymYz3oTh6xuF8OAGAYJqhfos #1',
  ],
  'checkout.session.completed-no-payment-required': [
    'matched checkout-paid',
    'user.insert as user: email=amara@example.org firstName=Amara Okafor',
    'license.create: productId=product-of-the-environment userId=$user.id metadata.stripe_subscription_id=sub_1TbLYEN0rTh7Lghtwmkc3yBV | once sub_1TbLYEN0rTh7Lghtwmkc3yBV #1',
  ],
  'checkout.session.completed-payment-link': [
    'matched checkout-paid',
    'user.insert as user: email=emre.yildiz@example.net firstName=Emre Yıldız',
    'license.create: productId=product-of-the-environment userId=$user.id metadata.stripe_subscription_id=cs_test_a1NQKXkFCx23fob85VNHNoRGrkZUamXbaRZWMMYAOBoURGBqUC2luUA9Mp | once cs_test_a1NQKXkFCx23fob85VNHNoRGrkZUamXbaRZWMMYAOBoURGBqUC2luUA9Mp #1',
  ],
  'checkout.session.completed-payment-metadata': [
    'matched checkout-paid',
    'user.insert as user: email=leila.haddad@example.org firstName=ليلى حداد',
    'license.create: productId=b30fa92d-11cb-4b76-8101-55c6c40ab47c licenseTemplateId=e4d902f1-94b8-4f01-a645-04410bd21cc2 entitlementSetId=699fc9e2-b595-44ed-b379-7de372f81db7 userId=$user.id metadata.stripe_subscription_id=cs_test_a1mzsqXJ6U0ZgFrupUk32EsIOzJtcIP1MCtaHtiv26PAIfZ9j6fiFXzApw | once cs_test_a1mzsqXJ6U0ZgFrupUk32EsIOzJtcIP1MCtaHtiv26PAIfZ9j6fiFXzApw #1',
  ],
  'checkout.session.completed-payment': [
    'matched checkout-paid',
    'user.insert as user: email=Sofia.Rossi@Example.COM firstName=Sofia Rossi',
    'license.create: productId=product-of-the-environment userId=$user.id metadata.stripe_subscription_id=cs_test_a11nOtQcz55TqygQkO1S20nSwvtrvCWi7Z4DTxXxGMA2wwagQlW3y7o62T | once cs_test_a11nOtQcz55TqygQkO1S20nSwvtrvCWi7Z4DTxXxGMA2wwagQlW3y7o62T #1',
  ],
  'checkout.session.completed-prefilled-email': [
    'matched checkout-paid',
    'user.insert as user: email=ingrid.ostergard@example.net firstName=Stripe Checkout cs_test_a1F77h2deKVHfw3catBM29wR8UCmkFuP8OJCfbB9MmJDjavzQjjr4oMR2I',
    'license.create: productId=product-of-the-environment userId=$user.id metadata.stripe_subscription_id=cs_test_a1F77h2deKVHfw3catBM29wR8UCmkFuP8OJCfbB9MmJDjavzQjjr4oMR2I | once cs_test_a1F77h2deKVHfw3catBM29wR8UCmkFuP8OJCfbB9MmJDjavzQjjr4oMR2I #1',
  ],
  'checkout.session.completed-setup': [
    'ignored checkout-setup: A setup checkout stores a payment method and sells nothing.',
  ],
  'checkout.session.completed-subscription-metadata': [
    'matched checkout-paid',
    'user.insert as user: email=taro.yamada@example.org firstName=山田 太郎',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=04ba627c-d8f2-4100-94e9-513cab4c05c3 entitlementSetId=699fc9e2-b595-44ed-b379-7de372f81db7 userId=$user.id metadata.stripe_subscription_id=sub_11JG8XN0rTh7LghtMZbfWkKd | once sub_11JG8XN0rTh7LghtMZbfWkKd #1',
  ],
  'checkout.session.completed-subscription': [
    'matched checkout-paid',
    'user.insert as user: email=zoe.lukasik@example.com firstName=Zoë Łukasik',
    'license.create: productId=product-of-the-environment userId=$user.id metadata.stripe_subscription_id=sub_114uSCN0rTh7LghtB3w7AGHU | once sub_114uSCN0rTh7LghtB3w7AGHU #1',
  ],
  'checkout.session.completed-unpaid': [
    'ignored checkout-unpaid: The payment is still on its way; the license follows with async_payment_succeeded.',
  ],
  'customer.created-no-email': [
    'ignored customer-without-email: A customer without an e-mail address cannot be a user yet.',
  ],
  'customer.created-no-name': [
    'matched customer-created',
    'user.upsert as user: email=build+ci@example.net',
  ],
  'customer.created': [
    'matched customer-created',
    'user.upsert as user: email=zoe.lukasik@example.com firstName=Zoë Łukasik',
  ],
  'customer.subscription.created-active': ['unmatched, reject'],
  'customer.subscription.created-incomplete': ['unmatched, reject'],
  'customer.subscription.created-trialing': ['unmatched, reject'],
  'customer.subscription.deleted': ['unmatched, reject'],
  'customer.subscription.deleted-payment-failed': ['unmatched, reject'],
  'customer.subscription.updated': ['unmatched, reject'],
  'customer.subscription.updated-active': ['unmatched, reject'],
  'customer.subscription.updated-active-again': ['unmatched, reject'],
  'customer.subscription.updated-canceled': ['unmatched, reject'],
  'customer.subscription.updated-incomplete': ['unmatched, reject'],
  'customer.subscription.updated-incomplete-expired': ['unmatched, reject'],
  'customer.subscription.updated-past-due': ['unmatched, reject'],
  'customer.subscription.updated-paused': ['unmatched, reject'],
  'customer.subscription.updated-payment-failed': ['unmatched, reject'],
  'customer.subscription.updated-trialing': ['unmatched, reject'],
  'customer.subscription.updated-unpaid': ['unmatched, reject'],
  'invoice.created': ['ignored invoice-created: Nothing is licensed before an invoice is paid.'],
  'invoice.paid-manual': [
    'ignored other-invoice: This invoice neither starts nor continues a subscription, or it is not paid.',
  ],
  'invoice.paid-no-email': [
    'failed subscription-started',
    'FIELD_MISSING subscription-started: user.insert.email came out missing: data.object.customer_email is missing (data.object has id, object, account_country, account_name, amount_due, amount_overpaid, amount_paid, amount_remaining, …)',
  ],
  'invoice.paid-no-name': [
    'matched subscription-started',
    'user.insert as user: email=build+ci@example.net firstName=Stripe Invoice in_1KGyIPN0rTh7LghtcoOXbf2x',
    'license.create: productId=product-of-the-environment userId=$user.id metadata.stripe_subscription_id=sub_11bwPiN0rTh7LghtMDylFddS | once sub_11bwPiN0rTh7LghtMDylFddS #1',
  ],
  'invoice.paid-no-subscription': [
    'failed subscription-renewed',
    'FIELD_MISSING subscription-renewed: license.renew.find.metadata.stripe_subscription_id came out missing: data.object.parent is missing (data.object has id, object, account_country, account_name, amount_due, amount_overpaid, amount_paid, amount_remaining, …); data.object.subscription is missing (data.object has id, object, account_country, account_name, amount_due, amount_overpaid, amount_paid, amount_remaining, …)',
  ],
  'invoice.paid-open': [
    'ignored other-invoice: This invoice neither starts nor continues a subscription, or it is not paid.',
  ],
  'invoice.paid-subscription-create-legacy': [
    'matched subscription-started',
    "user.insert as user: email=siobhan.oconnor+northlight@example.com firstName=Siobhán O'Connor",
    'license.create: productId=product-of-the-environment userId=$user.id metadata.stripe_subscription_id=sub_12wvNBN0rTh7LghtGEJqSiCv | once sub_12wvNBN0rTh7LghtGEJqSiCv #1',
  ],
  'invoice.paid-subscription-create-metadata': [
    'matched subscription-started',
    'user.insert as user: email=taro.yamada@example.org firstName=山田 太郎',
    'license.create: productId=a9197f4a-49e0-48a8-b8cc-365e12442b7a licenseTemplateId=04ba627c-d8f2-4100-94e9-513cab4c05c3 entitlementSetId=699fc9e2-b595-44ed-b379-7de372f81db7 userId=$user.id metadata.stripe_subscription_id=sub_11JG8XN0rTh7LghtMZbfWkKd | once sub_11JG8XN0rTh7LghtMZbfWkKd #1',
  ],
  'invoice.paid-subscription-create': [
    'matched subscription-started',
    'user.insert as user: email=zoe.lukasik@example.com firstName=Zoë Łukasik',
    'license.create: productId=product-of-the-environment userId=$user.id metadata.stripe_subscription_id=sub_114uSCN0rTh7LghtB3w7AGHU | once sub_114uSCN0rTh7LghtB3w7AGHU #1',
  ],
  'invoice.paid-subscription-cycle-both-shapes': [
    'matched subscription-renewed',
    'license.renew: find.metadata.stripe_subscription_id=sub_12wvNBN0rTh7LghtGEJqSiCv whenSuspended.resume=true | once in_1pJIBRN0rTh7Lghtgl2krK7X #1',
  ],
  'invoice.paid-subscription-cycle-expanded': [
    'matched subscription-renewed',
    'license.renew: find.metadata.stripe_subscription_id=sub_114uSCN0rTh7LghtB3w7AGHU whenSuspended.resume=true | once in_1NugPBN0rTh7LghtObH0i8iL #1',
  ],
  'invoice.paid-subscription-cycle-legacy': [
    'matched subscription-renewed',
    'license.renew: find.metadata.stripe_subscription_id=sub_12wvNBN0rTh7LghtGEJqSiCv whenSuspended.resume=true | once in_1jKYQQN0rTh7LghtPhdx483i #1',
  ],
  'invoice.paid-subscription-cycle-with-proration': [
    'matched subscription-renewed',
    'license.renew: find.metadata.stripe_subscription_id=sub_11JG8XN0rTh7LghtMZbfWkKd whenSuspended.resume=true | once in_18Jj2TN0rTh7LghtIOy02Dne #1',
  ],
  'invoice.paid-subscription-cycle': [
    'matched subscription-renewed',
    'license.renew: find.metadata.stripe_subscription_id=sub_114uSCN0rTh7LghtB3w7AGHU whenSuspended.resume=true | once in_1v0HZgN0rTh7Lght0hvUfZ8g #1',
  ],
  'invoice.paid-subscription-update': [
    'ignored other-invoice: This invoice neither starts nor continues a subscription, or it is not paid.',
  ],
  'invoice.paid-two-lines': [
    'matched subscription-started',
    'user.insert as user: email=j.mueller@example.net firstName=Jürgen Müller',
    'license.create: productId=product-of-the-environment userId=$user.id metadata.stripe_subscription_id=sub_1CVIMjN0rTh7LghtmL33UMYu | once sub_1CVIMjN0rTh7LghtmL33UMYu #1',
  ],
  'invoice.payment_failed': ['unmatched, reject'],
};
