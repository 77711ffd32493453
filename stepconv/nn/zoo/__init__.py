"""Networks that are there by name.

small       networks for small pictures, trained in minutes
fitting     makes these fit other pictures and classes
famous      the famous ones in full size, to be measured
papers      when, by whom, and the error that was published
"""
